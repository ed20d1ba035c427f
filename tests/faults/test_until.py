"""A grid that grows until it is decided takes the same looks whatever ends its launches, and however many there are."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid.store.looks import read_looks
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from tests.faults.conftest import Misbehave
from tests.helpers.grids import TOY, ablate, start_ablate, states, wait_during, workers_of
from tests.helpers.records import raw

pytestmark = pytest.mark.faults
# Closer than two epochs on twelve identities can tell: it goes to its end, three looks.
UNTIL = "design: {until: decided, matters: 0.01, at_most: 32}\n"
BATCH = 8


@pytest.fixture(scope="module")
def growing(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("growing") / "toy.yaml"
    file.write_text(TOY.format(root=tiny_root, epochs=2) + UNTIL)
    return file


@pytest.fixture(scope="module")
def undisturbed_looks(growing: Path, shared: Callable[[str, Callable[[Path], None]], Path]) -> dict[str, Any]:
    return outcome(shared("growing", lambda folder: print(ablate(growing, folder / "output"))) / "output")


def outcome(output: Path) -> dict[str, Any]:
    """The looks byte by byte, and what they rest on."""
    grid = output / "grids" / "toy"
    runs = read_plan(grid).plan.runs
    return {
        "looks": (grid / "looks.json").read_bytes(),
        "runs": runs,
        "metrics": [raw(RunFolder(output / "runs" / run.signature), "result")["metrics"] for run in runs],
    }


def finished(output: Path) -> int:
    return list(states(output).values()).count("finished")


def test_killed_twice_parent_and_worker_and_resumed(
    growing: Path, undisturbed_looks: dict[str, Any], tmp_path: Path
) -> None:
    grid = tmp_path / "grids" / "toy"
    process = start_ablate(growing, tmp_path)
    wait_during(process, lambda: finished(tmp_path) >= 3 and len(workers_of(process)) == 2)
    workers_of(process)[0].kill()
    wait_during(process, lambda: len(read_looks(grid)) == 1 and finished(tmp_path) >= 2 * BATCH + 2)
    process.kill()
    process.communicate()
    assert len(read_plan(grid).plan.runs) == 3 * BATCH, "what was planned when it was killed"
    process = start_ablate(growing, tmp_path)
    wait_during(process, lambda: len(read_looks(grid)) == 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    text = ablate(growing, tmp_path)
    assert "grid toy: 32 finished" in text
    assert "look 3: " in text
    assert "it ends: as many runs as are allowed" in text
    assert outcome(tmp_path) == undisturbed_looks
    assert [look["runs"] for look in json.loads(undisturbed_looks["looks"])["looks"]] == [16, 24, 32]
    again = ablate(growing, tmp_path)
    assert "32 finished" in again
    assert outcome(tmp_path) == undisturbed_looks


def test_launched_from_two_places_at_once(
    growing: Path, undisturbed_looks: dict[str, Any], misbehave: Misbehave, tmp_path: Path
) -> None:
    """Two names stand for two machines, whose claims mean nothing to each other but their beats."""
    environment, output = misbehave({}), tmp_path / "output"
    both = [start_ablate(growing, output, environment={**environment, "REID_MACHINE": name}) for name in ("one", "two")]
    for process in both:
        text, _ = process.communicate(timeout=900)
        assert process.returncode == 0, text
        assert "grid toy: 32 finished" in text
    assert outcome(output) == undisturbed_looks
