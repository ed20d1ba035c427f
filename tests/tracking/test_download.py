"""A grid read back from the tracking server alone."""

from pathlib import Path

import pytest

from reid.errors import InputError
from reid.reporting import read_runs, write_report
from reid.tracking import download, sync
from reid.tracking.store import embedded_uri
from tests.tracking.conftest import Fabric

OUTCOMES = {("00", 1): "diverged", ("10", 1): "failed", ("01", 1): "running"}


def test_runs_and_report_are_those_of_the_folders(fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(outcomes=OUTCOMES, seeds=(0, 1, 2))
    sync(fabric.output, None)
    there = download(embedded_uri(fabric.output), "demo", tmp_path / "there")
    assert read_runs(there).equals(read_runs(grid))
    reports = [write_report(folder, tmp_path / name) for folder, name in ((grid, "a"), (there, "b"))]
    assert [path.read_bytes() for path in reports[0]] == [path.read_bytes() for path in reports[1]]


def test_an_unknown_grid_is_refused_with_those_that_are_there(fabric: Fabric, tmp_path: Path) -> None:
    fabric.grid()
    sync(fabric.output, None)
    with pytest.raises(InputError, match="the grid other must be an experiment there, found demo"):
        download(embedded_uri(fabric.output), "other", tmp_path / "there")
