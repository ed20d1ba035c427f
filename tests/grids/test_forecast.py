from pathlib import Path

import pytest

from reid.cli.views.grid_terminal import forecast_lines
from reid.errors import InputError
from reid.grids.grid import read_grid
from reid.grids.launch import preview
from reid.statistics.power import detectable_effect
from tests.helpers.grids import TOY
from tests.helpers.quiet_view import Silent


def test_a_grid_that_grows_is_forecast_at_least_and_at_most(tiny_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    more = (
        "last_stride: , label_smoothing: , warmup: {epochs: 2}}\ndesign: {until: decided, matters: 0.5, at_most: 100}\n"
    )
    file.write_text(TOY.format(epochs=3, root=tiny_root).replace("center_loss: }\n", f"center_loss: , {more}"))
    found = preview(file, tmp_path, {}, False, "cpu", 2, Silent())
    assert (found.arms, found.batch, found.at_most, found.states) == (64, 16, 96, {"planned": 32})
    assert found.most_hours == pytest.approx(3 * found.device_hours)
    assert found.detectable == detectable_effect(48, 6, 6, tuple(n / 6 for n in range(2, 7)))
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


def test_effects_are_forecast_in_points_where_the_noise_is_told(tiny_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text(
        TOY.format(epochs=3, root=tiny_root).replace("seeds: [0]", "seeds: [0, 1, 2]\nsd: 0.6\nmatters: 0.1")
    )
    found = preview(file, tmp_path, {}, False, "cpu", 2, Silent())
    points = f"{0.6 * found.detectable:.2g}"
    words = f"effects from {points} points, more than the 0.1 that matter, as a run varies by 0.6 from `sd`"
    assert any(words in line for line in forecast_lines(found))
    file.write_text(file.read_text().replace("sd: 0.6\n", ""))
    lines = forecast_lines(preview(file, tmp_path, {}, False, "cpu", 2, Silent()))
    assert any("standard deviations of a run" in line for line in lines)


def test_a_fraction_whose_effects_are_all_pairs_is_refused_unless_pairs_are_nil(tmp_path: Path) -> None:
    file = tmp_path / "g.yaml"
    factors = "{warmup: , random_erasing: , label_smoothing: , bnneck: , center_loss: }"
    file.write_text(f"name: g\ndataset: {{name: tiny, root: data}}\nfactors: {factors}\ndesign: quarter\n")
    with pytest.raises(InputError, match="design: a quarter of 5 factors confounds every main effect"):
        read_grid(file, {})
    file.write_text(file.read_text() + "pairs: nil\n")
    assert len(read_grid(file, {}).arms) == 8
