import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reid.cli.views.grid_terminal import forecast_lines
from reid.grids.forecast import detectable_effect
from reid.grids.launch import preview
from tests.helpers.grids import TOY
from tests.helpers.quiet_view import Silent


@pytest.mark.parametrize(("arms", "arms_a_level", "seeds"), [(64, 32, 3), (16, 8, 2), (7, 1, 5)])
def test_detectable_effect_is_found_with_80_per_cent_power(arms: int, arms_a_level: int, seeds: int) -> None:
    """Simulated: the t statistic of an effect of that size passes the 5 % level about 80 times in 100."""
    generator = np.random.default_rng(0)
    effect, draws = detectable_effect(arms, arms_a_level, seeds), 20_000
    freedom, error = (arms - 1) * (seeds - 1), np.sqrt(2 / (arms_a_level * seeds))
    noise = np.sqrt(generator.chisquare(freedom, draws) / freedom)
    statistic = generator.normal(effect, error, draws) / (error * noise)
    assert np.mean(np.abs(statistic) > stats.t.ppf(0.975, freedom)) == pytest.approx(0.8, abs=0.015)


def test_a_grid_that_grows_is_forecast_at_least_and_at_most(tiny_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    more = (
        "last_stride: , label_smoothing: , warmup: {epochs: 2}}\ndesign: {until: decided, matters: 0.5, at_most: 100}\n"
    )
    file.write_text(TOY.format(epochs=3, root=tiny_root).replace("center_loss: }\n", f"center_loss: , {more}"))
    found = preview(file, tmp_path, {}, False, "cpu", 2, Silent())
    assert (found.arms, found.batch, found.at_most, found.states) == (64, 16, 96, {"planned": 32})
    assert found.most_hours == pytest.approx(3 * found.device_hours)
    assert found.detectable == detectable_effect(16, 8, 6)
    lines = forecast_lines(found)
    assert "batches      of 16 runs, each with a seed of its own" in lines
    assert any(
        line.startswith("until        a look at every batch from the second on, at most 96 runs") for line in lines
    )
    assert sum(line.startswith("confounded   ") and " x " in line for line in lines) == 6, "at the first look"
    file.write_text(file.read_text().partition("design:")[0] + "design: blocks\n")
    found = preview(file, tmp_path, {}, False, "cpu", 2, Silent())
    assert (found.arms, found.batch, found.at_most, found.states) == (64, 16, 0, {"planned": 64})
    assert "confounded   nothing up to pairs of factors" in forecast_lines(found)


def test_more_runs_see_more_and_nothing_is_seen_without_noise() -> None:
    assert detectable_effect(64, 32, 3) < detectable_effect(32, 16, 3) < detectable_effect(32, 16, 2)
    assert detectable_effect(64, 32, 1) < 1
    assert math.isnan(detectable_effect(7, 1, 1))
    assert math.isnan(detectable_effect(2, 1, 1))
