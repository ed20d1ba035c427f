"""What is said beside the effects: divergence, pairing of seeds, queries, what is missing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reid.analysis.completeness import precision_loss
from reid.analysis.divergence_rate import divergence
from reid.analysis.query_bootstrap import query_uncertainty
from reid.analysis.seed_pairing import pairing
from reid.statistics.proportions import wilson
from tests.helpers.grids_on_disk import FACTORS, make_table


def test_divergence_is_counted_and_its_cause_found() -> None:
    table = make_table(seeds=2)
    cause = ~table["a"] & table["b"]
    table.loc[cause & (table["seed"] == 0), "state"] = "diverged"
    table.loc[table["arm"] == "111111", "state"] = "failed"
    found = divergence(table, FACTORS)
    row = found.loc["a"]
    assert (row["base_diverged"], row["base_ended"], row["diverged"], row["ended"]) == (16, 64, 0, 62)
    assert row["effect"] == pytest.approx(-0.25)
    assert row["high"] < 0
    assert found.index[found["p_holm"] < 0.05].tolist() == ["a", "b"]


def test_wilson_and_newcombe_cover_the_truth() -> None:
    random = np.random.default_rng(0)
    counts = random.binomial(64, 0.1, size=2000)
    ends = np.array([wilson(int(count), 64) for count in counts])
    assert 0.93 <= ((ends[:, 0] <= 0.1) & (ends[:, 1] >= 0.1)).mean() <= 0.98


def test_divergence_is_nan_where_no_run_has_ended() -> None:
    table = make_table(k=2)
    table.loc[table["a"], "state"] = "planned"
    assert divergence(table, ["a", "b"]).loc["a", ["effect", "low", "high", "p"]].isna().all()


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.slow
def test_correlation_between_arms_covers_the_truth(shift: float) -> None:
    """Seed shifts of standard deviation 1 beside noise of 1: arms correlate by a half."""
    random, inside = np.random.default_rng(1), []
    base = make_table(k=3, seeds=5)
    for _ in range(300):
        seeds = random.normal(0, shift, 5)
        found = pairing(base.assign(mAP=seeds[base["seed"]] + random.normal(0, 1, len(base))), "mAP")
        inside.append(found.low <= shift / (1 + shift) <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)


def test_pairing_of_one_seed_cannot_be_measured() -> None:
    assert np.isnan(pairing(make_table(), "mAP").correlation)


def test_queries_are_resampled_apart_from_seeds() -> None:
    """A factor that lifts every query alike is sure over queries; one that lifts a few is not."""
    table = make_table(k=2, seeds=2, noise=0.0)
    table["signature"] = table["arm"] + table["seed"].astype(str)
    lifts = 0.1 * stats.zscore(np.random.default_rng(0).normal(size=400)) + 0.05
    ap = {  # the last query has no match
        str(row["signature"]): np.append(0.4 + 0.1 * float(row["a"]) + float(row["b"]) * lifts, np.nan)
        for row in table.to_dict("records")
    }
    found = query_uncertainty(table, ["a", "b"], ap).to_numpy()
    assert found[0].tolist() == pytest.approx([0.1, 0.1])
    assert found[1].mean() == pytest.approx(0.05, abs=0.002)
    assert (found[1, 1] - found[1, 0]) / 2 == pytest.approx(1.96 * 0.1 / 20, rel=0.1)


def test_what_is_missing_costs_precision() -> None:
    table = make_table(seeds=4)
    assert precision_loss(table, FACTORS, "mAP") == (1.0, 0, 0)
    half = table.assign(state=np.where(table["seed"] < 2, "finished", "planned"))
    assert precision_loss(half, FACTORS, "mAP")[0] == pytest.approx(np.sqrt(2))
    one_sided = table.assign(state=np.where(table["a"], "planned", "finished"))
    ratio, effects, pairs = precision_loss(one_sided, FACTORS, "mAP")
    assert (effects, pairs) == (6, 5)  # with one factor at one level, the others are seen in its company only
    assert np.isnan(ratio)


def test_nothing_finished_costs_everything() -> None:
    ratio, effects, pairs = precision_loss(make_table(k=2).assign(state="planned"), ["a", "b"], "mAP")
    assert pd.isna(ratio)
    assert (effects, pairs) == (2, 1)
