"""Kinds and words from estimates."""

import numpy as np
import pytest
from scipy import stats

from reid.analysis.verdict import Evidence, Kind, Scale, advice, seeds_needed
from tests.helpers.own_metric import miss_rate


@pytest.mark.parametrize(
    ("effect", "low", "high", "p", "kind", "words"),
    [
        (0.02, 0.01, 0.03, 0.001, Kind.HELPS, "helps"),
        (-0.02, -0.03, -0.01, 0.001, Kind.HURTS, "hurts"),
        (0.003, 0.002, 0.004, 0.001, Kind.HELPS, "helps, by less than matters (0.5 points)"),
        (0.001, -0.001, 0.003, 0.3, Kind.NO_EFFECT, "no effect that matters (0.5 points)"),
        (0.001, -0.001, 0.012, 0.3, Kind.UNDECIDED, ""),
    ],
)
def test_the_sign_comes_first_and_no_effect_is_against_what_matters(
    effect: float, low: float, high: float, p: float, kind: Kind, words: str
) -> None:
    found = Scale.of("mAP", matters=0.005).call(effect, low, high, p)
    assert (found.kind, found.words) == (kind, words)


def test_nothing_is_without_effect_where_it_is_not_declared_what_matters() -> None:
    assert Scale.of("mAP").call(0.0, -1e-6, 1e-6, 1.0).kind is Kind.UNDECIDED


def test_an_index_is_raised_or_lowered() -> None:
    assert Scale.of("conflict_share").call(0.02, 0.01, 0.03, 0.01).kind is Kind.RAISES
    assert Scale.of("conflict_share").call(-0.02, -0.03, -0.01, 0.01).kind is Kind.LOWERS
    assert Scale.of("mAP_after_cosine").call(0.02, 0.01, 0.03, 0.01).kind is Kind.HELPS


def test_a_fraction_of_which_less_is_better_is_hurt_by_more() -> None:
    with miss_rate():
        assert Scale.of("miss_rate").call(0.02, 0.01, 0.03, 0.01).kind is Kind.HURTS
        assert Scale.of("miss_rate@day").call(-0.02, -0.03, -0.01, 0.01).kind is Kind.HELPS


EVIDENCE = Evidence(error=0.4, df=10, runs=24, seeds=3, factors=4)


def test_smaller_effects_need_more_seeds() -> None:
    needed = [seeds_needed(effect, EVIDENCE, None) for effect in (1.2, 0.8)]
    assert needed[0] is not None
    assert needed[1] is not None
    assert 3 < needed[0] < needed[1]
    assert seeds_needed(0.0, EVIDENCE, None) is None
    assert seeds_needed(0.0, EVIDENCE, matters=0.8) is not None


@pytest.mark.slow
def test_the_advice_comes_true_in_four_of_five() -> None:
    """Effects of all sizes, seen in three seeds; those that are undecided are given as many seeds as advised."""
    random, came_true = np.random.default_rng(0), []
    for _ in range(4000):
        seeds = random.normal(0, 1.5) + random.normal(0, 1, size=100)  # each seed's own effect
        spread = random.chisquare(8)  # of four factors over three seeds
        evidence = Evidence(np.sqrt(spread / 8 / 3), 8, 24, 3, 4)
        needed = seeds_needed(seeds[:3].mean(), evidence, None)
        if needed is None or abs(seeds[:3].mean()) > stats.t.ppf(1 - 0.05 / 8, 8) * evidence.error:
            continue
        df = 4 * (needed - 1)
        error = np.sqrt((spread + random.chisquare(df - 8)) / df / needed)
        came_true.append(abs(seeds[:needed].mean()) > stats.t.ppf(1 - 0.05 / 8, df) * error)
    assert len(came_true) > 1000
    assert 0.77 <= np.mean(came_true) <= 0.85


@pytest.mark.parametrize(
    ("needed", "planned", "to_come", "words"),
    [
        (4, 2, 0, "about 2 more seeds would"),
        (3, 2, 5, "about 1 more seed after the planned ones would"),
        (2, 2, 5, "the planned runs that are still to come should"),
        (2, 2, 0, "about 1 more seed would"),
        (None, 2, 0, "more than 100 seeds would be needed"),
    ],
)
def test_advice_counts_the_runs_that_are_planned(needed: int | None, planned: int, to_come: int, words: str) -> None:
    assert advice(needed, planned, to_come) == f"cannot tell yet - {words}"
