"""Single-arm comparisons: the ladder, its band, alone and taken away."""

from itertools import permutations

import numpy as np
import pytest

from reid.analysis.best_arm import ties_with_best
from reid.analysis.ladder import ladder, single_steps
from tests.helpers.grids_on_disk import FACTORS, make_table

EFFECTS = {"a": 0.03, "c": 0.01, "ab": 0.02}


def test_rungs_are_means_of_arms_and_steps_their_differences() -> None:
    table = make_table(seeds=3, effects=EFFECTS)
    found = ladder(table, FACTORS, "mAP")
    mean = table.groupby("arm")["mAP"].mean()
    rungs = ["000000", "100000", "110000", "111000", "111100", "111110", "111111"]
    assert list(found.columns) == ["mean", "step", "low", "high", "band_low", "band_high", "q"]
    assert list(found.index) == ["none", *FACTORS]
    # Shrunk where more than two factors meet, so near the plain means and not the same.
    assert found["mean"].to_numpy() == pytest.approx(mean[rungs].to_numpy(), abs=0.01)
    assert found["step"].to_numpy()[1:] == pytest.approx(np.diff(found["mean"]))
    assert np.isnan(found["step"]["none"])


def test_any_order() -> None:
    table = make_table(k=3, seeds=2, effects=EFFECTS)
    mean = table.groupby("arm")["mAP"].mean()
    assert ladder(table, ["c", "a", "b"], "mAP")["mean"].to_numpy() == pytest.approx(
        mean[["000", "001", "101", "111"]].to_numpy()
    )


def test_the_band_is_the_range_over_all_orders() -> None:
    table = make_table(k=4, seeds=2, effects=EFFECTS)
    every = np.array([ladder(table, order, "mAP")["mean"] for order in permutations(FACTORS[:4])])
    found = ladder(table, FACTORS[:4], "mAP")
    assert found["band_low"].to_numpy() == pytest.approx(every.min(axis=0))
    assert found["band_high"].to_numpy() == pytest.approx(every.max(axis=0))


def test_an_arm_without_a_finished_run_is_a_hole_not_a_number() -> None:
    table = make_table(seeds=2, effects=EFFECTS)
    table.loc[table["arm"] == "110000", "state"] = "diverged"
    table.loc[table["arm"] == "110000", "mAP"] = 0.001
    found = ladder(table, FACTORS, "mAP")
    assert found["mean"].isna().tolist() == [False, False, True, False, False, False, False]
    assert found["step"].isna().tolist() == [True, False, True, True, False, False, False]
    assert found["band_low"]["b"] > 0.4


def test_a_rung_with_fewer_seeds_is_adjusted_for_the_seeds_it_lacks() -> None:
    table = make_table(seeds=2, effects=EFFECTS, noise=1e-6)  # the second seed is 0.05 better
    table.loc[(table["arm"] == "100000") & (table["seed"] == 0), "state"] = "failed"
    assert ladder(table, FACTORS, "mAP").at["a", "step"] == pytest.approx(0.03, abs=1e-5)


def test_alone_and_taken_away() -> None:
    found = single_steps(make_table(seeds=2, effects=EFFECTS, noise=1e-6), FACTORS, "mAP")
    assert found["alone"].to_numpy() == pytest.approx([0.03, 0, 0.01, 0, 0, 0], abs=1e-5)
    assert found["away"].to_numpy() == pytest.approx([0.05, 0.02, 0.01, 0, 0, 0], abs=1e-5)


def test_ties_with_the_best_arm() -> None:
    # Only a, b and c matter, so the eight arms of d, e and f are one.
    found = ties_with_best(make_table(seeds=3, effects={"a": 0.2, "b": 0.2, "c": 0.2}), FACTORS, "mAP")
    assert found is not None
    best, ties = found
    assert best[:3] == "111"
    assert 4 <= ties <= 7
    assert ties_with_best(make_table(k=2), ["a", "b"], "mAP") == ("10", -1)
    assert ties_with_best(make_table(k=1).head(1), ["a"], "mAP") is None
