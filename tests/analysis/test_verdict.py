"""Words from intervals."""

import numpy as np
import pytest
from scipy import stats

from reid.analysis.verdict import LEVEL, MOST_SEEDS, Kind, advice, call, seeds_needed
from tests.helpers.own_metric import miss_rate


@pytest.mark.parametrize(
    ("low", "high", "significant", "words"),
    [
        (0.01, 0.03, True, "helps"),
        (-0.03, -0.01, True, "hurts"),
        (0.01, 0.03, False, None),
        (-0.001, 0.012, True, None),
        (-0.002, 0.0031, False, "no effect larger than 0.4 points"),
        (0.001, 0.004, True, "no effect larger than 0.4 points"),
        (-0.004, 0.001, False, "no effect larger than 0.4 points"),
    ],
)
def test_call(low: float, high: float, significant: bool, words: str | None) -> None:
    found = call("mAP", low, high, significant, rope=0.005)
    assert found.words == (words or "cannot tell yet")
    assert (found.kind == Kind.UNDECIDED) == (words is None)


def test_an_index_is_raised_or_lowered() -> None:
    assert call("conflict_share", 0.01, 0.03, True, rope=0.005).kind == Kind.RAISES
    assert call("conflict_share", -0.03, -0.01, True, rope=0.005).kind == Kind.LOWERS
    assert call("mAP_after_cosine", 0.01, 0.03, True, rope=0.005).kind == Kind.HELPS


def test_a_fraction_of_which_less_is_better_is_hurt_by_more() -> None:
    with miss_rate():
        assert call("miss_rate", 0.01, 0.03, True, rope=0.005).kind == Kind.HURTS
        assert call("miss_rate@day", -0.03, -0.01, True, rope=0.005).kind == Kind.HELPS


def test_more_seeds_shrink_the_interval_until_it_tells() -> None:
    # Four arms of one seed, noise 1: the error is 1 / sqrt(seeds). t(9 df) / sqrt(4) = 1.13, t(12 df) / sqrt(5) = 0.97.
    assert seeds_needed(1.0, error=1.0, runs=4, arms=4, terms=1, rope=1.0) == 5
    assert seeds_needed(0.2, 1.0, 4, 4, 1, 1.0) > seeds_needed(2.0, 1.0, 4, 4, 1, 1.0)
    assert seeds_needed(0.0, 1.0, 4, 4, 1, 1e-9) == MOST_SEEDS


def test_the_advice_holds_in_simulation() -> None:
    """With as many seeds as advised, an effect of the size seen is called in about half of the grids or more."""
    needed = seeds_needed(0.5, error=2 / np.sqrt(16), runs=16, arms=8, terms=3, rope=0.05)
    random, half = np.random.default_rng(0), 4 * needed
    means = random.normal(0.5, 1, (2000, half)).mean(axis=1) - random.normal(0, 1, (2000, half)).mean(axis=1)
    bound = stats.t.ppf(1 - LEVEL / 6, 7 * (needed - 1)) * 2 / np.sqrt(8 * needed)
    assert 0.45 <= (means > bound).mean() <= 0.6


@pytest.mark.parametrize(
    ("needed", "planned", "to_come", "words"),
    [
        (4, 2, 0, "about 2 more seeds would"),
        (3, 2, 5, "about 1 more seed after the planned ones would"),
        (2, 2, 5, "the planned runs that are still to come should"),
        (2, 2, 0, "about 1 more seed would"),
    ],
)
def test_advice_counts_the_runs_that_are_planned(needed: int, planned: int, to_come: int, words: str) -> None:
    assert advice(needed, planned, to_come) == f"cannot tell yet - {words}"
