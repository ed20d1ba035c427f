"""Two launches of a grid at once, on one machine or on two: no run is trained twice, both end with the whole table."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reid.store.run_folder import RunFolder
from tests.faults.conftest import Misbehave
from tests.helpers.grids import UNTRACKED, final_table, start_ablate, states, wait_for
from tests.helpers.records import raw

pytestmark = pytest.mark.faults


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    text, _ = process.communicate(timeout=900)
    return process.returncode, text


def attempts(output: Path) -> list[int]:
    return [raw(RunFolder(path), "state")["attempts"] for path in (output / "runs").iterdir()]


def test_two_machines_at_once_and_one_of_them_dies(
    toy: Path, undisturbed: dict[str, Any], misbehave: Misbehave, tmp_path: Path
) -> None:
    """Claims of the one mean nothing to the other but their beats; two names stand for two machines."""
    environment = misbehave({}, {"reid.store.claim": {"BEAT_SECONDS": 0.5, "DEAD_SECONDS": 15.0}})
    output = tmp_path / "output"
    one, other = (
        start_ablate(toy, output, environment={**environment, "REID_MACHINE": name}) for name in ("one", "other")
    )
    wait_for(lambda: list(states(output).values()).count("running") >= 3, 240)
    wait_for(lambda: "finished" in states(output).values(), 240)
    os.killpg(one.pid, signal.SIGKILL)
    one.communicate()
    code, text = end(other)
    assert code == 0, text
    assert "8 finished" in text
    assert "waiting for it" in text
    assert final_table(output) == undisturbed
    assert 8 <= sum(attempts(output)) <= 10, "what died in flight was begun again, nothing else"


def test_two_launches_on_one_machine_and_reid_stop_stops_both(
    toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    both = [start_ablate(toy, tmp_path, "--json") for _ in range(2)]
    wait_for(lambda: list(states(tmp_path).values()).count("running") >= 3, 240)
    subprocess.run([sys.executable, "-m", "reid", "stop", "toy", "--output", str(tmp_path)], check=True)
    for process in both:
        code, text = end(process)
        assert code == 130, text
    assert "running" not in states(tmp_path).values()
    assert "stopped" in states(tmp_path).values()
    both = [start_ablate(toy, tmp_path, *UNTRACKED) for _ in range(2)]
    for process in both:
        code, text = end(process)
        assert code == 0, text
        assert "grid toy: 8 finished" in text
    assert final_table(tmp_path) == undisturbed
