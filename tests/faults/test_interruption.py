"""Whatever ends the grid, the same command leads to the same final table, bit for bit."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from reid.run_folder import RunFolder
from tests.grids import ablate, epochs_done, final_table, start_ablate, states, wait_for, workers_of

pytestmark = pytest.mark.faults


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    text, _ = process.communicate(timeout=120)
    return process.returncode, text


def test_a_killed_worker_costs_nothing_but_its_epoch(toy: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 20)
    victim = workers_of(process)[0]
    victim.kill()
    code, text = end(process)
    assert code == 0, text
    assert final_table(tmp_path) == undisturbed
    attempts = [RunFolder(path).read("state")["attempts"] for path in (tmp_path / "runs").glob("*")]
    assert sorted(attempts) == [1] * 7 + [2], "only the run of the killed worker was begun again"


def test_a_killed_parent_takes_its_workers_along_and_is_continued(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 30)
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    end(process)
    psutil.wait_procs(workers, timeout=10)
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    finished = {
        path: (path / "result.json").stat().st_mtime_ns
        for path in (tmp_path / "runs").glob("*")
        if RunFolder(path).state() == "finished"
    }
    assert finished
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed
    assert {path: (path / "result.json").stat().st_mtime_ns for path in finished} == finished, "finished: not repeated"


def test_ctrl_c_finishes_the_epoch_and_the_same_command_goes_on(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 10)
    os.killpg(process.pid, signal.SIGINT)
    code, text = end(process)
    assert code == 130, text
    assert "Traceback" not in text
    assert "the same command goes on from here" in text
    assert "running" not in states(tmp_path).values()
    stopped = [path for path in (tmp_path / "runs").glob("*") if RunFolder(path).state() == "stopped"]
    assert stopped
    assert all(RunFolder(path).checkpoint.exists() for path in stopped)
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed


def test_ctrl_c_twice_ends_at_once(toy: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 10)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    wait_for(lambda: process.poll() is not None or not workers_of(process), 20)
    code, text = end(process)
    assert code == 130, text
    assert "running" not in states(tmp_path).values()
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed


def test_a_truncated_checkpoint_falls_back_to_the_one_before(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 10)
    process.kill()
    end(process)
    broken = [path for path in (tmp_path / "runs").glob("*/checkpoint.pt") if path.with_suffix(".previous.pt").exists()]
    assert broken
    for path in broken:
        path.write_bytes(path.read_bytes()[:1000])
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed
    assert any("falling back to the one before" in RunFolder(path.parent).log.read_text() for path in broken)
