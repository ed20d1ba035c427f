"""The winner against the defaults: by hand, by its properties, and over simulated studies without a difference."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reid.statistics.paired import Outcome, PairedDifference, paired_difference

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
    assert found.obstacle.startswith("no pair of runs")


def test_a_seed_that_diverged_on_one_side_is_no_pair() -> None:
    assert paired_difference([0.5, math.nan, 0.7, 0.8], [0.4, 0.4, 0.5, math.nan]) == paired_difference(
        [0.5, 0.7], [0.4, 0.5]
    )


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values of the winner against 1 of the defaults"):
        paired_difference([0.1, 0.2], [0.1])


def test_a_metric_without_noise_has_no_width() -> None:
    assert paired_difference([0.5] * 3, [0.25] * 3) == PairedDifference(0.25, 0.25, 0.25, 0.0, 3)
    assert paired_difference([0.5] * 3, [0.5] * 3).outcome() == Outcome.NOT_TOLD_APART


def test_the_outcome_follows_the_direction_of_the_objective() -> None:
    found = paired_difference([0.5, 0.6, 0.7], [0.4, 0.4, 0.6], level=0.9)
    larger = PairedDifference(found.difference, found.low, found.high, 0.01, 3)
    assert (larger.outcome(), larger.outcome(maximize=False)) == (Outcome.BETTER, Outcome.WORSE)


@given(VALUES)
def test_the_interval_and_p_agree_and_sides_can_be_swapped(values: list[tuple[float, float]]) -> None:
    winner, defaults = ([pair[side] for pair in values] for side in (0, 1))
    found, swapped = paired_difference(winner, defaults), paired_difference(defaults, winner)
    assert (swapped.difference, swapped.low, swapped.high) == (-found.difference, -found.high, -found.low)
    assert swapped.p == found.p
    assert found.low <= found.difference <= found.high
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


@given(VALUES)
def test_a_higher_level_is_wider(values: list[tuple[float, float]]) -> None:
    winner, defaults = zip(*values, strict=True)
    wide, narrow = (paired_difference(winner, defaults, level) for level in (0.99, 0.9))
    assert wide.low <= narrow.low <= narrow.high <= wide.high


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


def test_the_p_of_fresh_seeds_is_exact() -> None:
    """Either call, over so many studies that the share's standard error is 0.3 %."""
    random = np.random.default_rng(8)
    called = [null_study(random)[0].p < 0.05 for _ in range(10 * STUDIES)]
    assert np.mean(called) == pytest.approx(0.05, abs=0.0065)
