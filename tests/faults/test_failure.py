"""A run that cannot be trained does not end the grid."""

from pathlib import Path

import pytest

from reid.run_folder import RunFolder
from tests.grids import ablate, start_ablate, states, wait_for

pytestmark = pytest.mark.faults


def test_a_run_that_raises_is_failed_and_the_others_go_on(toy: Path, tmp_path: Path) -> None:
    """One run's folder is made to raise: its curves file is a folder, so no checkpoint can be written."""
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: len(states(tmp_path)) == 8)
    victim = sorted((tmp_path / "runs").iterdir())[0]
    process.kill()
    process.communicate(timeout=60)
    (victim / "curves.parquet").unlink(missing_ok=True)
    (victim / "curves.parquet").mkdir()
    process = start_ablate(toy, tmp_path)
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 1, text
    assert "7 finished" in text
    assert "1 failed" in text
    assert "`reid status toy` says why" in text
    state = RunFolder(victim).read("state")
    assert state["state"] == "failed"
    assert "IsADirectoryError" in state["reason"]
    assert "Traceback" in state["error"]
    assert "Traceback" in RunFolder(victim).log.read_text()
    (victim / "curves.parquet").rmdir()
    assert "8 finished" in ablate(toy, tmp_path), "the same command tries it again"


def test_a_diverging_arm_is_a_result(toy: Path, tmp_path: Path) -> None:
    text = ablate(toy, tmp_path, "--set", "schedule.base=1e30")
    assert "8 diverged" in text
    for path in (tmp_path / "runs").glob("*"):
        folder = RunFolder(path)
        assert "total loss is" in folder.read("state")["reason"]
        curves = folder.curves()
        assert curves is not None
        assert len(curves) > 0
    assert "8 diverged" in ablate(toy, tmp_path, "--set", "schedule.base=1e30")
    assert all(RunFolder(path).read("state")["attempts"] == 1 for path in (tmp_path / "runs").glob("*"))
