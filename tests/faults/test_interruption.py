"""Whatever ends the grid, the same command leads to the same final table, bit for bit."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from reid.store.run_folder import RunFolder
from tests.helpers.grids import UNTRACKED, ablate, epochs_done, final_table, start_ablate, states, wait_for, workers_of
from tests.helpers.records import raw, write_raw

pytestmark = pytest.mark.faults


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    text, _ = process.communicate(timeout=900)
    return process.returncode, text


def test_a_killed_worker_costs_nothing_but_its_epoch(toy: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    process = start_ablate(toy, tmp_path, *UNTRACKED)
    wait_for(lambda: epochs_done(tmp_path) >= 20)
    victim = workers_of(process)[0]
    victim.kill()
    code, text = end(process)
    assert code == 0, text
    assert final_table(tmp_path) == undisturbed
    attempts = [raw(RunFolder(path), "state")["attempts"] for path in (tmp_path / "runs").glob("*")]
    assert sorted(attempts) == [1] * 7 + [2], "only the run of the killed worker was begun again"


def test_a_killed_parent_takes_its_workers_along_and_is_continued(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """Whatever the clock says then."""
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 30)
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    end(process)
    psutil.wait_procs(workers, timeout=10)
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    set_clocks_back(tmp_path)
    finished = {
        path: (path / "result.json").stat().st_mtime_ns
        for path in (tmp_path / "runs").glob("*")
        if RunFolder(path).read_state().state == "finished"
    }
    assert finished
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed
    assert {path: (path / "result.json").stat().st_mtime_ns for path in finished} == finished, "finished: not repeated"


def set_clocks_back(output: Path) -> None:
    """What was written was written by a clock that is decades ahead, or decades behind."""
    for number, path in enumerate(sorted((output / "runs").iterdir())):
        time = (4e9, 1e8)[number % 2]
        for file in path.glob("claim.*.json"):
            os.utime(file, (time, time))
        if state := raw(RunFolder(path), "state"):
            write_raw(RunFolder(path), "state", {**state, "started": time, "updated": time})


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
    stopped = [path for path in (tmp_path / "runs").glob("*") if RunFolder(path).read_state().state == "stopped"]
    assert stopped
    assert all(RunFolder(path).checkpoint.exists() for path in stopped)
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed


def test_a_worker_told_to_end_is_replaced_and_its_run_goes_on(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """SIGTERM to a worker is how a queue takes a machine away; SIGTERM to the launch is Ctrl-C."""
    process = start_ablate(toy, tmp_path)
    victims: list[int] = []

    def found() -> bool:
        victims.extend(half_way(tmp_path))
        return bool(victims)

    wait_for(found, 240)
    os.kill(victims[0], signal.SIGTERM)
    wait_for(lambda: epochs_done(tmp_path) >= 30, 240)
    os.kill(process.pid, signal.SIGTERM)
    code, text = end(process)
    assert code == 130, text
    assert "its worker was asked to end; again in" in text
    assert "the same command goes on from here" in text
    assert "running" not in states(tmp_path).values()
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        assert store.execute("select count(*) from runs where status = 'RUNNING'").fetchone() == (0,)
    ablate(toy, tmp_path)
    assert final_table(tmp_path) == undisturbed


def half_way(output: Path) -> list[int]:
    """Pids of workers whose runs have begun and are far from their end."""
    begun = [raw(RunFolder(path), "state") or {"state": "planned"} for path in (output / "runs").glob("*")]
    return [state["pid"] for state in begun if state["state"] == "running" and 2 <= state.get("epoch", 0) <= 6]


KILLS = 50


def test_fifty_kills_at_random_moments(toy: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    """Parent and worker at once, soon after they began or soon after an epoch; they lose nothing but that epoch."""
    process = start_ablate(toy, tmp_path, *UNTRACKED)
    wait_for(lambda: len(states(tmp_path)) == 8, 240)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    chance, killed = random.Random(7), 0
    nursery = [sys.executable, "-m", "tests.faults.in_process_launch", str(tmp_path), "toy"]
    with subprocess.Popen(
        nursery, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for _ in range(KILLS):
            print(file=parent.stdin, flush=True)
            victim, before = psutil.Process(int(parent.stdout.readline())), epochs_done(tmp_path)
            if chance.random() < 0.5:
                wait_for(lambda: not is_alive(victim) or epochs_done(tmp_path) > before, 240)  # noqa: B023
            time.sleep(chance.uniform(0, 0.15))
            killed += is_alive(victim)
            with suppress(psutil.NoSuchProcess):
                victim.kill()
            assert parent.stdout.readline() == "over\n"
        parent.stdin.close()
    assert killed == KILLS, "the grid ended before: train longer"
    ablate(toy, tmp_path, *UNTRACKED)
    assert final_table(tmp_path) == undisturbed


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def test_ctrl_c_twice_ends_at_once(toy: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: epochs_done(tmp_path) >= 10)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    wait_for(lambda: process.poll() is not None or not workers_of(process), 20)
    code, text = end(process)
    assert code == 130, text
    assert "running" not in states(tmp_path).values()
    ablate(toy, tmp_path, *UNTRACKED)
    assert final_table(tmp_path) == undisturbed


def test_a_truncated_or_overwritten_checkpoint_falls_back_to_the_one_before(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start_ablate(toy, tmp_path, *UNTRACKED)
    wait_for(lambda: epochs_done(tmp_path) >= 10)
    process.kill()
    end(process)
    broken = [path for path in (tmp_path / "runs").glob("*/checkpoint.pt") if path.with_suffix(".previous.pt").exists()]
    assert broken
    for number, path in enumerate(broken):
        whole = path.read_bytes()
        path.write_bytes(whole[:1000] if number % 2 else bytes(len(whole)))
    ablate(toy, tmp_path, *UNTRACKED)
    assert final_table(tmp_path) == undisturbed
    assert any("falling back to the one before" in RunFolder(path.parent).log.read_text() for path in broken)
