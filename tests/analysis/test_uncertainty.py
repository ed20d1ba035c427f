"""What is said beside the effects: divergence, pairing of seeds, queries, what is missing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reid.analysis.completeness import precision_loss
from reid.analysis.divergence_rate import divergence
from reid.analysis.query_uncertainty import clustered_mean, query_uncertainty
from reid.analysis.seed_pairing import pairing
from reid.statistics.proportions import difference_of_shares, wilson
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


@pytest.mark.parametrize("rounding", [0.0, 1e-17])
@pytest.mark.parametrize("trick", [0.0, 0.1])
def test_pairing_of_a_metric_without_noise_cannot_be_measured(rounding: float, trick: float) -> None:
    """As parameters in millions: the same with every seed, up to rounding."""
    table = make_table(k=2, seeds=3, noise=0.0)
    random = np.random.default_rng(4)
    still = 0.3 + trick * table["a"] + rounding * random.normal(size=len(table))
    found = pairing(table.assign(mAP=still), "mAP")
    assert np.isnan([found.correlation, found.low, found.high, found.gain]).all()


@pytest.mark.parametrize("before", [0, 32])
@pytest.mark.parametrize("after", [0, 32])
def test_shares_of_none_and_of_all_have_intervals_and_p_within_bounds(before: int, after: int) -> None:
    difference, low, high, p = difference_of_shares(before, 32, after, 32)
    assert difference == (after - before) / 32
    assert -1 <= low <= difference <= high <= 1
    assert 0 < p <= 1
    assert low < high
    assert (p < 1e-9) == (before != after)


def test_nothing_counted_may_be_any_share() -> None:
    assert wilson(0, 0) == (0, 1)
    assert np.isnan(difference_of_shares(0, 0, 1, 2)).all()


def test_people_are_left_out_apart_from_seeds() -> None:
    """A factor that lifts every query alike is sure; one that lifts some people only is as sure as there are people."""
    table = make_table(k=2, seeds=2, noise=0.0)
    table["signature"] = table["arm"] + table["seed"].astype(str)
    people = np.repeat(np.arange(100), 4)
    lifts = np.repeat(0.1 * stats.zscore(np.random.default_rng(0).normal(size=100)) + 0.05, 4)
    ap = {  # the last query has no match
        str(row["signature"]): np.append(0.4 + 0.1 * float(row["a"]) + float(row["b"]) * lifts, np.nan)
        for row in table.to_dict("records")
    }
    found = query_uncertainty(table, ["a", "b"], ap, np.append(people, 100)).to_numpy()
    assert found[0].tolist() == pytest.approx([0.1, 0.1])
    assert found[1].mean() == pytest.approx(0.05)
    assert (found[1, 1] - found[1, 0]) / 2 == pytest.approx(stats.t.ppf(0.975, 99) * 0.1 / np.sqrt(99))


@pytest.mark.parametrize(("people", "alike"), [(20, 0.4), (60, 0.6), (300, 0.5)])
def test_other_people_are_within_the_interval_as_often_as_it_says(people: int, alike: float) -> None:
    """One to seven queries a person, alike by this intra-class correlation; queries by themselves know too much."""
    random = np.random.default_rng(people)
    cluster = np.repeat(np.arange(people), random.integers(1, 8, people))
    own = random.normal(size=(2000, people))[:, cluster]
    values = np.sqrt(alike) * own + np.sqrt(1 - alike) * random.normal(size=own.shape)
    mean, half = clustered_mean(values, cluster)
    assert 0.93 <= (abs(mean) <= half).mean() <= 0.97
    naive = 1.96 * values.std(axis=1) / np.sqrt(len(cluster))
    assert (abs(mean) <= naive).mean() < 0.8


def test_one_person_says_nothing_of_others_and_a_constant_has_no_width() -> None:
    assert np.isnan(clustered_mean(np.ones((1, 3)), np.zeros(3, dtype=np.int64))[1]).all()
    mean, half = clustered_mean(np.full((2, 6), 0.1), np.arange(6) // 2)
    assert (mean.tolist(), half.tolist()) == (pytest.approx([0.1, 0.1]), pytest.approx([0, 0]))


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
