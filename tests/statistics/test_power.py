"""Power of the verdict, simulated."""

import math

import numpy as np
import pytest
from scipy import stats

from reid.statistics.power import detectable_effect


@pytest.mark.parametrize(("runs", "seeds", "factors"), [(96, 3, 6), (16, 2, 6), (5, 5, 6), (40, 10, 2)])
def test_an_effect_of_that_size_is_called_in_80_percent(runs: int, seeds: int, factors: int) -> None:
    """By Holm's first bound; where other factors are called before, in more."""
    random, draws = np.random.default_rng(0), 20_000
    effect, df, error = detectable_effect(runs, seeds, factors), factors * (seeds - 1), np.sqrt(2 / runs)
    noise = np.sqrt(random.chisquare(df, draws) / df)
    statistic = random.normal(effect, error, draws) / (error * noise)
    assert np.mean(np.abs(statistic) > stats.t.ppf(1 - 0.025 / factors, df)) == pytest.approx(0.8, abs=0.04)


def test_more_runs_see_more_and_one_seed_sees_nothing_of_others() -> None:
    assert detectable_effect(96, 3, 6) < detectable_effect(48, 3, 6) < detectable_effect(32, 2, 6)
    assert detectable_effect(96, 6, 6) < detectable_effect(96, 6, 6, (0.5, 1.0))
    assert math.isnan(detectable_effect(64, 1, 6))
