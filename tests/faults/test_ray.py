"""A grid on a real Ray cluster of three nodes on loopback: workers and nodes are killed, the table is the same."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from reid.store.run_folder import RunFolder
from tests.helpers.grids import UNTRACKED, epochs_done, final_table, start_ablate, wait_during
from tests.helpers.ray_cluster import ENVIRONMENT, RayCluster
from tests.helpers.records import raw
from tests.helpers.services import need

pytestmark = pytest.mark.faults


# Trains the first run of a grid on a cluster, ends its worker once it shows progress, and prints how the run was lost.
KILL = """
import sys
from pathlib import Path
from rich.console import Console
from reid.grids.launch import prepare
from reid.execution.events import Progressed
from reid.execution.executors.ray import RayExecutor, ResourceRequest
from reid.cli.views.grid_terminal import TerminalView
grid, output, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
launched = prepare(grid, output, {"schedule.epochs": 1000}, False, "", TerminalView(Console()))
run = launched.run_store.folder(launched.plan.runs[0].signature)
with RayExecutor(address, "cpu", None, ResourceRequest(), output / "cache", False) as executor:
    executor.submit(run.path, None)
    while executor.busy():
        for event in executor.events(0.25):
            if isinstance(event, Progressed):
                executor.kill(run.signature)
            else:
                print(event)
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayCluster]:
    need(None if find_spec("ray") else "Ray is not installed (the extra ray)")
    with RayCluster(nodes=2) as nodes:
        yield nodes


@pytest.fixture
def cluster(nodes: RayCluster, monkeypatch: pytest.MonkeyPatch) -> RayCluster:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return nodes


def test_a_run_that_is_ended_at_once_is_told_as_lost(cluster: RayCluster, toy: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILL, str(toy), str(tmp_path), cluster.address]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Lost\(signature=.*, how=.lost by Ray: .*", done.stdout.splitlines()[-1])


def test_a_killed_worker_and_a_killed_node_leave_the_table_as_it_is(
    cluster: RayCluster, toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start_ablate(toy, tmp_path, *UNTRACKED, "--executor", "ray", "--address", cluster.address)
    try:
        wait_during(process, lambda: epochs_done(tmp_path) >= 8 and cluster.training(0))
        cluster.training(0)[0].kill()
        wait_during(process, lambda: epochs_done(tmp_path) >= 40 and cluster.training(1))
        cluster.kill_worker_node(1)
        text, _ = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, text
    assert "8 finished" in text
    assert final_table(tmp_path) == undisturbed
    attempts = [raw(RunFolder(path), "state")["attempts"] for path in (tmp_path / "runs").glob("*")]
    assert sum(attempts) == 8 + 2, "only the two runs whose worker was killed were begun again"
