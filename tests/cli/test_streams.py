"""Output that goes nowhere: no traceback, and no other outcome of what was asked."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reid.store.claim import claim
from reid.store.plan import FactorRecord
from reid.store.run_store import RunStore
from tests.helpers.grids_on_disk import write_grid

FACTORS = (FactorRecord(name="warmup", levels=("off", "on")),)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("output")
    write_grid(folder, name="one", factors=FACTORS, effects=(0.1,), iterations=0)
    return folder


def reid(*words: str, shell: str = "", locale: str = "C.UTF-8") -> subprocess.CompletedProcess[bytes]:
    """Run a command with what a shell does to its streams."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'"$@" {shell}', "bash", sys.executable, "-m", "reid", *words],
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "LC_ALL": locale},
    )


Listing = Callable[[str], subprocess.CompletedProcess[bytes]]


@pytest.fixture
def status(output: Path) -> Listing:
    return lambda shell: reid("status", "one", "--output", str(output), shell=shell)


def test_a_full_device_is_a_line_and_an_exit_code(status: Listing) -> None:
    ended = status("> /dev/full")
    assert ended.returncode == 2
    assert ended.stderr.decode().startswith("error: standard output: No space left on device; what was to be printed")
    assert ended.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "shell", ["| true", ">&-", "2>&-", "<&- >&- 2>&-", "2> /dev/full", "| head -c 3"], ids=lambda shell: shell
)
def test_a_reader_who_is_not_there_is_no_failure(status: Listing, shell: str) -> None:
    ended = status(shell)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_refusal_that_nobody_reads_is_one(output: Path) -> None:
    assert reid("status", "two", "--output", str(output), shell="2> /dev/full").returncode == 2


def test_following_a_log_ends_with_its_reader(output: Path) -> None:
    folder = RunStore(output).folders()[0]
    folder.log.write_text("attempt 1 on cpu\n", encoding="utf-8")
    with claim(folder):
        ended = reid("logs", "-f", folder.signature, "--output", str(output), shell="> /dev/full")
    assert ended.returncode == 2


def test_a_letter_that_the_terminal_lacks_is_written_by_its_number(output: Path) -> None:
    ended = reid("status", "ü→", "--output", str(output), locale="C")
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr


def test_a_closed_descriptor_is_not_the_next_file(output: Path) -> None:
    """What is printed must not end in a file of a run."""
    assert reid("report", "one", "--format", "csv", "--output", str(output), shell="<&- >&- 2>&-").returncode == 0
    tables = output / "grids" / "one" / "tables"
    assert (tables / "runs.csv").read_text(encoding="utf-8").startswith("arm,")


def test_a_user_without_a_name_and_a_home_is_one(output: Path) -> None:
    """As in a container that is run with a number for its user: MLflow's import asks for the home."""
    words = [sys.executable, "-m", "reid", "sync", "--output", str(output)]
    alone = {name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")}
    stranger = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
    if subprocess.run([*stranger, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to be another user here")
    ended = subprocess.run([*stranger, *words], capture_output=True, check=False, env=alone)
    assert (ended.returncode, ended.stdout) == (0, b"2 runs projected\n"), ended.stderr.decode()
