"""Two-factor interactions."""

import pytest

from reid.analysis.effects import effects
from reid.analysis.interactions import interactions
from tests.helpers.grids_on_disk import FACTORS, make_table


def test_a_planted_interaction_is_found_and_no_other() -> None:
    found = interactions(make_table(seeds=2, effects={"bd": 0.03}), FACTORS, "mAP")
    assert len(found) == 15
    assert list(found.columns) == ["effect", "low", "high", "q"]
    assert found.index[found["q"] < 0.05].tolist() == [("b", "d")]
    # Half of 0.03, and within its interval.
    assert found["low"]["b", "d"] < 0.015 < found["high"]["b", "d"]


def test_half_difference_scaling() -> None:
    table = make_table(k=3, seeds=2, effects={"a": 0.01, "ab": 0.03})
    main = effects(table, FACTORS[:3], "mAP")["effect"]["a"]
    pair = interactions(table, FACTORS[:3], "mAP")["effect"]["a", "b"]
    with_b = table[table["b"]].groupby("a")["mAP"].mean()
    without_b = table[~table["b"]].groupby("a")["mAP"].mean()
    assert main + pair == pytest.approx(with_b[True] - with_b[False])
    assert main - pair == pytest.approx(without_b[True] - without_b[False])


def test_one_factor_has_no_pair() -> None:
    assert interactions(make_table(k=1, seeds=3), ["a"], "mAP").empty
