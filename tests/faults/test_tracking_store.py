"""MLflow goes down mid-way and comes back; its SQLite file is locked by somebody: training does not care."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reid.tracking.mlflow_store import Store
from reid.tracking.server import HOST, free_port, running_server
from tests.faults.conftest import Misbehave
from tests.helpers.grids import epochs_done, final_table, start_ablate, states, wait_for, write_toy

pytestmark = pytest.mark.faults


def sync(output: Path, *words: str) -> str:
    command = [sys.executable, "-m", "reid", "sync", "--output", str(output), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def statuses(database: Path) -> Counter[tuple[str, str]]:
    """(arm or run, status) of what MLflow has."""
    with sqlite3.connect(database) as store:
        kinds = "select t.value, r.status from runs r join tags t on t.run_uuid = r.run_uuid where t.key = 'reid.kind'"
        return Counter(store.execute(kinds).fetchall())


WHOLE = Counter({("plan", "FINISHED"): 1, ("arm", "FINISHED"): 8, ("run", "FINISHED"): 8})


def test_a_server_that_goes_down_mid_way(toy: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    output, served, port = tmp_path / "output", tmp_path / "served", free_port(0)
    served.mkdir()
    uri = f"http://{HOST}:{port}"
    with running_server(Store(None, served), port):
        process = start_ablate(toy, output, "--tracking-uri", uri)
        wait_for(lambda: (served / "mlflow.db").exists() and statuses(served / "mlflow.db")["run", "RUNNING"] > 0, 240)
    text, _ = process.communicate(timeout=900)
    assert process.returncode == 0, text
    assert text.count("warning: MLflow: ") == 1, text
    assert "training goes on, `reid sync` repairs MLflow later" in text
    assert final_table(output) == undisturbed
    assert statuses(served / "mlflow.db") != WHOLE
    with running_server(Store(None, served), port):
        assert sync(output, "--tracking-uri", uri) == "8 runs projected\n"
    assert statuses(served / "mlflow.db") == WHOLE


def test_a_server_that_is_killed_twice_and_comes_back(tiny_root: Path, misbehave: Misbehave, tmp_path: Path) -> None:
    """All is shown at the end, without `reid sync`. The launch is frozen while a server starts, so as not to end."""
    output, served, port = tmp_path / "output", tmp_path / "served", free_port(0)
    served.mkdir()
    quick = misbehave({}, {"reid.tracking.background": {"FIRST_DELAY": 0.5, "LONGEST_DELAY": 2.0}})
    grid = write_toy(tmp_path, tiny_root, epochs=24)
    with running_server(Store(None, served), port):
        process = start_ablate(grid, output, "--tracking-uri", f"http://{HOST}:{port}", environment=quick)
        wait_for(lambda: statuses(served / "mlflow.db").total() > 1, 240)
    for _ in range(2):
        done = epochs_done(output)
        wait_for(lambda done=done: epochs_done(output) >= done + 6, 240)
        os.killpg(process.pid, signal.SIGSTOP)
        shown = statuses(served / "mlflow.db").total()
        with running_server(Store(None, served), port):
            os.killpg(process.pid, signal.SIGCONT)
            wait_for(lambda shown=shown: statuses(served / "mlflow.db").total() > shown, 240)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGSTOP)
    with running_server(Store(None, served), port):
        os.killpg(process.pid, signal.SIGCONT)
        text, _ = process.communicate(timeout=900)
    assert process.returncode == 0, text
    assert statuses(served / "mlflow.db") == WHOLE


def test_a_locked_database(toy: Path, undisturbed: dict[str, Any], misbehave: Misbehave, tmp_path: Path) -> None:
    output = tmp_path / "output"
    quick = misbehave({}, {"reid.tracking.background": {"FIRST_DELAY": 0.5}})
    process = start_ablate(toy, output, environment=quick)
    wait_for(lambda: (output / "mlflow.db").exists() and epochs_done(output) >= 4, 240)
    lock = sqlite3.connect(output / "mlflow.db", timeout=240, isolation_level=None)
    try:
        lock.execute("begin exclusive")
        trained = list(states(output).values()).count("finished")
        wait_for(lambda: list(states(output).values()).count("finished") >= min(trained + 3, 8), 240)
    finally:
        lock.close()
    text, _ = process.communicate(timeout=900)
    assert process.returncode == 0, text
    assert final_table(output) == undisturbed
    sync(output)
    assert statuses(output / "mlflow.db") == WHOLE


def test_what_kill_9_left_running_is_repaired_by_sync(toy: Path, tmp_path: Path) -> None:
    process = start_ablate(toy, tmp_path)
    wait_for(lambda: (tmp_path / "mlflow.db").exists() and statuses(tmp_path / "mlflow.db")["run", "RUNNING"] > 0, 240)
    os.killpg(process.pid, 9)
    process.communicate()
    sync(tmp_path)
    assert not any(status == "RUNNING" for _, status in statuses(tmp_path / "mlflow.db"))
    assert "running" not in states(tmp_path).values()
