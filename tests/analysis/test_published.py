"""Published differences beside ours."""

import pandas as pd
import pytest

from reid.analysis.results import read_results
from reid.store.plan import FactorRecord
from tests.helpers.grids_on_disk import TRICK_FACTORS, MakeGrid


def test_the_ladder_and_reproductions_have_their_counterparts(make_grid: MakeGrid) -> None:
    results = read_results(make_grid(seeds=(0, 1), iterations=60))
    found = results.published
    assert found["table"].value_counts().to_dict() == {"ladder": 14, "reproduction": 4}
    row = found[(found["what"] == "+ BNNeck") & (found["data"] == "Market-1501")].iloc[0]
    means = results.runs.groupby("arm")["mAP"].mean()
    assert row["theirs"] == pytest.approx(0.04)
    assert row["ours"] == pytest.approx(means["111110"] - means["111100"], abs=0.012)
    assert row["difference"] == pytest.approx(row["ours"] - row["theirs"])
    assert row["low"] < row["ours"] < row["high"]
    erased = found[found["what"].str.startswith("random erasing")].set_index("data")
    assert erased["theirs"]["Market-1501"] == pytest.approx((85.8 + 85.8 + 85.9) / 300 - 0.824)
    assert erased["ours"]["Market-1501"] == pytest.approx(means["111110"] - means["101110"], abs=0.012)


def test_rungs_that_did_not_finish_are_left_out(make_grid: MakeGrid) -> None:
    found = read_results(make_grid(keep=lambda arm: arm.count("1") >= 5, seeds=(0, 1), iterations=60)).published
    assert set(found["what"]) == {"+ Centre loss", "all minus all but centre loss"}


@pytest.mark.parametrize(
    ("name", "levels", "theirs"),
    [
        ("backbone.name", ("resnet50", "resnet18", "resnet10_narrow"), {"resnet50 → resnet18": -0.081}),
        ("batch.identities", ("16", "32"), {"16 → 32": -0.009}),
    ],
)
def test_other_tables_are_compared_where_the_factors_match(
    make_grid: MakeGrid, name: str, levels: tuple[str, ...], theirs: dict[str, float]
) -> None:
    factors = [FactorRecord(name=name, levels=levels), TRICK_FACTORS[4]]
    found = read_results(make_grid(factors=factors, effects=(0.01, 0.02), seeds=(0, 1), iterations=60)).published
    market = found[found["data"] == "Market-1501"].set_index("what")["theirs"]
    assert market.to_dict() == pytest.approx(theirs)


def test_other_factors_have_no_counterpart(make_grid: MakeGrid) -> None:
    found = read_results(make_grid(factors=TRICK_FACTORS[:2], effects=(0.01, 0.02), iterations=60)).published
    assert isinstance(found, pd.DataFrame)
    assert found.empty
