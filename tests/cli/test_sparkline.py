"""Curves in a terminal."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from reid.cli.app import app
from reid.cli.views.sparkline import describe_run, sparkline
from reid.errors import InputError
from reid.store.run_folder import RunFolder
from tests.helpers.grids_on_disk import MakeGrid


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        (range(8), "▁▂▃▄▅▆▇█"),
        (range(7, -1, -1), "█▇▆▅▄▃▂▁"),
        ([5.0, 5.0], "▁▁"),
        ([0.0, np.nan, 1.0], "▁×█"),
        ([np.nan, np.inf], "××"),
    ],
)
def test_known_lines(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_long_curves_are_binned() -> None:
    assert sparkline(np.repeat([0.0, 7.0], 500), width=4) == "▁▁██"


def test_runs_on_the_command_line(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(iterations=200)
    runs = sorted(path.name for path in (grid.parents[1] / "runs").iterdir())[:2]
    words = ["curves", *runs, "--output", str(grid.parents[1]), "--out", str(tmp_path / "two.svg")]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert all(run in done.stdout for run in runs)
    assert "oscillation 0." in done.stdout
    assert "conflict" not in done.stdout, "what was not measured is not shown"
    assert "▁" in done.stdout
    assert (tmp_path / "two.svg").read_text().startswith("<?xml")


def test_a_run_without_curves(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"run abc: it has no curves yet \(planned\)"):
        describe_run(RunFolder(tmp_path / "abc"), {})
