"""The winner against the defaults: by hand, by its properties, and over simulated studies without a difference."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reid.statistics.paired import Outcome, PairedDifference, paired_difference, rank_sum

VALUES = st.lists(st.tuples(*[st.floats(0, 1)] * 2), min_size=2, max_size=8)
STUDIES, TRIALS, SEEDS = 500, 60, 5
RUN_NOISE = 0.015  # standard deviation of a run's mAP


def test_by_hand() -> None:
    found = paired_difference([0.5, 0.6, 0.7], [0.4, 0.4, 0.6])
    # Differences 0.1, 0.2, 0.1: mean 0.1333, standard error 0.0333, t(2) = 4.3027.
    assert found.difference == pytest.approx(0.4 / 3)
    assert (found.low, found.high) == pytest.approx((0.4 / 3 - 4.302653 / 30, 0.4 / 3 + 4.302653 / 30))
    assert found.p == pytest.approx(2 * stats.t.sf(4, 2))
    assert found.pairs == 3


def test_one_pair_has_a_difference_and_nothing_else() -> None:
    found = paired_difference([0.5], [0.4])
    assert found.difference == pytest.approx(0.1)
    assert [math.isnan(value) for value in (found.low, found.high, found.p)] == [True] * 3
    assert found.outcome() == Outcome.CANNOT_TELL
    assert found.obstacle == "one pair of runs shows no noise, two or more are needed"


def test_no_pair_has_not_even_a_difference() -> None:
    found = paired_difference([math.nan], [0.4])
    assert math.isnan(found.difference)
    assert found.outcome() == Outcome.CANNOT_TELL
    assert paired_difference([], []).obstacle.startswith("no pair of runs")


LOST = math.nan


@pytest.mark.parametrize(
    ("winner", "defaults", "outcome", "p"),
    [
        ([LOST] * 5, [0.1, 0.2, 0.3, 0.4, 0.5], Outcome.WORSE, 2 / 252),
        ([LOST] * 3 + [0.7, 0.8], [0.1, 0.2, 0.3, 0.4, 0.5], Outcome.NOT_TOLD_APART, None),
        ([LOST, 0.6, 0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5], Outcome.NOT_TOLD_APART, None),
        ([0.6, 0.6, 0.6, 0.6, 0.6], [LOST] * 4 + [0.5], Outcome.BETTER, 2 / 252),
        ([LOST] * 5, [LOST] * 5, Outcome.NOT_TOLD_APART, 1.0),
        ([LOST, 0.5, 0.5], [0.6, 0.6, 0.6], Outcome.CANNOT_TELL, None),
    ],
)
def test_a_run_that_diverged_is_the_worst_there_is(
    winner: list[float], defaults: list[float], outcome: Outcome, p: float | None
) -> None:
    found = paired_difference(winner, defaults)
    assert (found.outcome(), found.by_ranks, math.isnan(found.low)) == (outcome, True, True)
    assert p is None or found.p == pytest.approx(p)
    less = paired_difference([-value for value in winner], [-value for value in defaults], maximize=False)
    assert (less.outcome(maximize=False), less.p) == (outcome, found.p)


def test_three_of_five_winners_lost_do_not_make_the_other_two_better() -> None:
    """Of the two pairs that are left a t test says better, p 0.03."""
    winner, defaults = [LOST, LOST, LOST, 0.520, 0.541], [0.498, 0.511, 0.502, 0.500, 0.519]
    found = paired_difference(winner, defaults)
    assert stats.ttest_rel(winner[3:], defaults[3:]).pvalue < 0.05
    assert (found.outcome(), found.pairs, found.seeds) == (Outcome.NOT_TOLD_APART, 2, 5)
    assert found.difference == pytest.approx(0.021)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_losing_the_worst_runs_of_either_side_makes_neither_better(share: float) -> None:
    """A run diverges where it would have been bad: with knobs that change nothing, and with one that is that much
    worse that half of its runs diverge, though its survivors are a standard deviation better."""
    random = np.random.default_rng(9)
    shift, noise = random.normal(0, 1, (2000, 1, 5)), random.normal(0, 1, (2000, 2, 5))
    null = shift + noise
    null[noise < stats.norm.ppf(share)] = math.nan
    called = [paired_difference(*study).outcome() for study in null]
    assert np.mean([one in (Outcome.BETTER, Outcome.WORSE) for one in called]) <= 0.055
    noise[:, 0] = np.where(random.uniform(size=(2000, 5)) < 0.5, math.nan, noise[:, 0] + 1)
    assert np.mean([paired_difference(*study).outcome() == Outcome.BETTER for study in shift + noise]) <= 0.055


@given(st.lists(st.integers(0, 5), min_size=4, max_size=12).filter(lambda values: len(values) % 2 == 0))
def test_the_rank_sum_is_the_share_of_all_ways_to_deal_the_runs(values: list[int]) -> None:
    n = len(values) // 2
    ranks = stats.rankdata(values)
    sums = np.array([sum(chosen) for chosen in combinations(ranks, n)])
    reached = ranks[:n].sum()
    p = min(1, 2 * min((sums <= reached).mean(), (sums >= reached).mean()))
    found, sign = rank_sum(np.array(values[:n], dtype=float), np.array(values[n:], dtype=float))
    assert found == pytest.approx(p)
    assert sign == np.sign(2 * reached - ranks.sum())


def test_the_rank_sum_of_many_runs_is_that_of_exact_ones() -> None:
    random = np.random.default_rng(3)
    one, two = random.normal(0.4, 1, 51), random.normal(0, 1, 51)
    exact = stats.mannwhitneyu(one, two, method="exact").pvalue
    assert rank_sum(one, two)[0] == pytest.approx(exact, rel=0.05)


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values of the winner against 1 of the defaults"):
        paired_difference([0.1, 0.2], [0.1])


@pytest.mark.parametrize("rounding", [0.0, 1e-16])
def test_a_metric_without_noise_has_no_interval_and_no_p_of_nothing(rounding: float) -> None:
    """As memory in bytes: the pairs differ by the same, and by rounding at most."""
    wobble = rounding * np.arange(5)
    found = paired_difference((0.5 + wobble).tolist(), [0.25] * 5)
    assert found.outcome() == Outcome.BETTER
    assert [found.difference, found.p] == pytest.approx([0.25, 2 / 252])
    assert math.isnan(found.low)
    same = paired_difference((0.3 + wobble).tolist(), [0.1 + 0.2] * 5)
    assert (same.outcome(), same.difference, same.p) == (Outcome.NOT_TOLD_APART, 0.0, 1.0)
    assert paired_difference([0.0] * 2, [0.0] * 2).outcome() == Outcome.NOT_TOLD_APART
    assert "3 seeds are too few to compare by ranks" in paired_difference([0.5] * 3, [0.25] * 3).obstacle


def test_the_outcome_follows_the_direction_of_the_objective() -> None:
    larger = replace(paired_difference([0.5, 0.6, 0.7], [0.4, 0.4, 0.6]), p=0.01)
    assert (larger.outcome(), larger.outcome(maximize=False)) == (Outcome.BETTER, Outcome.WORSE)


@given(VALUES)
def test_the_interval_and_p_agree_and_sides_can_be_swapped(values: list[tuple[float, float]]) -> None:
    winner, defaults = ([pair[side] for pair in values] for side in (0, 1))
    found, swapped = paired_difference(winner, defaults), paired_difference(defaults, winner)
    assert (swapped.difference, swapped.sign, swapped.p) == (-found.difference, -found.sign, found.p)
    if found.by_ranks:
        return
    assert (swapped.low, swapped.high) == (-found.high, -found.low)
    assert found.low <= found.difference <= found.high
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


@given(VALUES)
def test_a_higher_level_is_wider(values: list[tuple[float, float]]) -> None:
    winner, defaults = zip(*values, strict=True)
    wide, narrow = (paired_difference(winner, defaults, level=level) for level in (0.99, 0.9))
    assert wide.by_ranks or wide.low <= narrow.low <= narrow.high <= wide.high


def null_study(random: np.random.Generator) -> tuple[PairedDifference, PairedDifference]:
    """A whole study of knobs that change nothing: trials on the validation set, the best of them the winner, and the
    winner against the defaults (the first trial): with fresh seeds on the test set, and with the search's own values.

    Seeds shift all arms alike, as paired seeds do.
    """
    validation = 0.8 + random.normal(0, 0.02, size=SEEDS) + random.normal(0, RUN_NOISE, size=(TRIALS, SEEDS))
    best = int(validation.mean(axis=1).argmax())
    fresh = 0.7 + random.normal(0, 0.02, size=SEEDS) + random.normal(0, RUN_NOISE, size=(2, SEEDS))
    return paired_difference(*fresh), paired_difference(validation[best], validation[0])


def test_a_null_difference_is_not_called_real_and_the_search_s_own_values_would_call_it() -> None:
    random = np.random.default_rng(7)
    honest, naive = zip(*(null_study(random) for _ in range(STUDIES)), strict=True)
    assert sum(found.outcome() == Outcome.BETTER for found in honest) <= 0.05 * STUDIES
    assert sum(found.outcome() == Outcome.BETTER for found in naive) >= 0.2 * STUDIES


def test_more_seeds_until_something_is_said_say_it_falsely_less_often() -> None:
    random = np.random.default_rng(10)
    counts = {True: 0, False: 0}
    for _ in range(STUDIES):
        winner, defaults = random.normal(size=(2, 40)).tolist()
        for adjusted in counts:
            looks = (
                paired_difference(winner[:n], defaults[:n], looks=look if adjusted else 1)
                for look, n in enumerate((5, 10, 20, 40), start=1)
            )
            counts[adjusted] += any(found.outcome() != Outcome.NOT_TOLD_APART for found in looks)
    assert counts[False] >= 0.13 * STUDIES
    assert counts[True] <= 0.10 * STUDIES


def test_the_p_of_fresh_seeds_is_exact() -> None:
    """Either call, over so many studies that the share's standard error is 0.3 %."""
    random = np.random.default_rng(8)
    called = [null_study(random)[0].p < 0.05 for _ in range(10 * STUDIES)]
    assert np.mean(called) == pytest.approx(0.05, abs=0.0065)
