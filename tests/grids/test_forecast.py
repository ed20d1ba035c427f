import math

import numpy as np
import pytest
from scipy import stats

from reid.grids.forecast import detectable_effect


@pytest.mark.parametrize(("arms", "arms_a_level", "seeds"), [(64, 32, 3), (16, 8, 2), (7, 1, 5)])
def test_detectable_effect_is_found_with_80_per_cent_power(arms: int, arms_a_level: int, seeds: int) -> None:
    """Simulated: the t statistic of an effect of that size passes the 5 % level about 80 times in 100."""
    generator = np.random.default_rng(0)
    effect, draws = detectable_effect(arms, arms_a_level, seeds), 20_000
    freedom, error = (arms - 1) * (seeds - 1), np.sqrt(2 / (arms_a_level * seeds))
    noise = np.sqrt(generator.chisquare(freedom, draws) / freedom)
    statistic = generator.normal(effect, error, draws) / (error * noise)
    assert np.mean(np.abs(statistic) > stats.t.ppf(0.975, freedom)) == pytest.approx(0.8, abs=0.015)


def test_more_runs_see_more_and_nothing_is_seen_without_noise() -> None:
    assert detectable_effect(64, 32, 3) < detectable_effect(32, 16, 3) < detectable_effect(32, 16, 2)
    assert detectable_effect(64, 32, 1) < 1
    assert math.isnan(detectable_effect(7, 1, 1))
    assert math.isnan(detectable_effect(2, 1, 1))
