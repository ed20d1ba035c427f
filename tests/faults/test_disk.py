"""A disk that is full or read-only: one clear line, and the grid goes on when there is room."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Misbehave
from tests.helpers.grids import (
    UNTRACKED,
    ablate,
    epochs_done,
    final_table,
    start_ablate,
    states,
    wait_for,
    write_toy,
)

pytestmark = pytest.mark.faults
REID = (sys.executable, "-m", "reid")
FEW_TRIES = {"reid.execution.failures": {"FIRST_DELAY": 0.01}, "reid.execution.dispatch": {"ATTEMPTS": 2}}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 64 MB. Needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        if os.environ.get("REID_REQUIRE_SERVICES") == "1" and os.geteuid() == 0:
            pytest.fail("root may not mount a file system here and REID_REQUIRE_SERVICES=1")
        pytest.skip("no right to mount a file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all that is left, and take it again where a write that failed has given some back."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_stops_runs_that_go_on_when_there_is_room(
    toy: Path, undisturbed: dict[str, Any], misbehave: Misbehave, disk: Path
) -> None:
    output = disk / "output"
    process = start_ablate(toy, output, environment=misbehave({}, {"reid.execution.failures": {"FIRST_DELAY": 1.0}}))
    wait_for(lambda: epochs_done(output) >= 6, 240)
    ballast = fill(disk)
    lines = ""
    assert process.stdout is not None
    while "No space left on device" not in lines and "cannot be written" not in lines:
        line = process.stdout.readline()
        assert line, lines
        lines += line
        fill(disk)
    ballast.unlink()
    rest, _ = process.communicate(timeout=900)
    assert process.returncode == 0, lines + rest
    assert "Traceback" not in lines + rest
    assert final_table(output) == undisturbed


def test_a_disk_that_stays_full_and_then_is_read_only_ends_the_launch_with_one_line(
    toy: Path, undisturbed: dict[str, Any], misbehave: Misbehave, disk: Path
) -> None:
    output, environment = disk / "output", misbehave({}, FEW_TRIES)
    process = start_ablate(toy, output, "--stop-after", "2", environment=environment)
    wait_for(lambda: epochs_done(output) >= 6, 240)
    ballast = fill(disk)
    while process.poll() is None:
        fill(disk)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    gave_up(process)
    ballast.unlink()

    process = start_ablate(toy, output, "--stop-after", "2", *UNTRACKED, environment=environment)
    wait_for(lambda: epochs_done(output) >= 20, 240)
    remount(disk, "ro")  # which a database that is open for writing would forbid
    assert "Read-only file system" in gave_up(process)
    process = start_ablate(toy, output, *UNTRACKED)
    text, _ = process.communicate(timeout=240)
    assert process.returncode == 2, text
    assert "the output folder must be writable (Read-only file system); give another with --output" in text
    remount(disk, "rw")
    ablate(toy, output, *UNTRACKED)
    assert final_table(output) == undisturbed


def gave_up(process: "subprocess.Popen[str]") -> str:
    """What a launch printed that ended because runs failed alike."""
    text, _ = process.communicate(timeout=900)
    assert process.returncode == 1, text
    assert "Traceback" not in text
    assert text.count("stopped: 2 different runs in a row failed alike: ") == 1, text
    return text


def remount(disk: Path, mode: str) -> None:
    """A file that is open for writing forbids it; a training opens them for moments."""

    def done() -> bool:
        command = ["mount", "-o", f"remount,{mode}", str(disk)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    wait_for(done)


def test_a_launch_whose_output_goes_nowhere_trains_all_the_same(tmp_path: Path, tiny_root: Path) -> None:
    output = tmp_path / "output"
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*REID, "ablate", write_toy(tmp_path, tiny_root, epochs=1), "--output", output, "--slots", "2"],
            stdout=full,
            stderr=full,
            check=False,
        )
    assert ended.returncode == 2, "what it was to print is lost"
    assert set(states(output).values()) == {"finished"}
