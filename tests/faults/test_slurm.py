"""A grid on a real Slurm of one node: a job's process is killed, another is cancelled, the table is the same."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reid.store.run_folder import RunFolder
from tests.helpers.grids import UNTRACKED, epochs_done, final_table, start_ablate, states, wait_during, write_toy
from tests.helpers.records import raw
from tests.helpers.services import need
from tests.helpers.slurm import Slurm, missing

pytestmark = pytest.mark.faults
PLUGIN = """
import reid
card = reid.MethodCard(idea="", formula="", source="", cost="", interactions="")
reid.register_trick(reid.Trick(name="mine", short="M", title="Mine", card=card, settings={"pooling.kind": "max"}))
"""


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    need(missing())
    with Slurm() as slurm:
        yield slurm


@pytest.fixture(autouse=True)
def environment(slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)


def running(output: Path) -> list[RunFolder]:
    return [RunFolder(output / "runs" / name) for name, state in states(output).items() if state == "running"]


def test_a_killed_and_a_cancelled_job_leave_the_table_as_it_is(
    slurm: Slurm, toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start_ablate(toy, tmp_path, *UNTRACKED, "--executor", "slurm", "--slurm", "time=60")
    try:
        wait_during(process, lambda: epochs_done(tmp_path) >= 2 and running(tmp_path))
        os.kill(raw(running(tmp_path)[0], "state")["pid"], signal.SIGKILL)
        wait_during(process, lambda: epochs_done(tmp_path) >= 30 and running(tmp_path))
        number = slurm.ask("squeue", "--noheader", "--states=running", "--format=%i").split()[0]
        slurm.ask("scancel", number)
        text, _ = process.communicate(timeout=400)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, text
    assert "8 finished" in text
    assert final_table(tmp_path) == undisturbed
    assert sum(raw(RunFolder(path), "state")["attempts"] for path in (tmp_path / "runs").glob("*")) > 8


def test_a_partition_that_is_not_there_is_one_line(toy: Path, tmp_path: Path) -> None:
    process = start_ablate(toy, tmp_path, "--executor", "slurm", "--slurm", "partition=nonsense")
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "error: --slurm: sbatch does not take" in text
    assert "invalid partition specified: nonsense" in text
    assert not (tmp_path / "grids").exists(), "nothing is planned before Slurm has agreed"


def test_a_plugin_trains_in_a_job(slurm: Slurm, tiny_root: Path, tmp_path: Path) -> None:
    assert slurm.environment
    (tmp_path / "mine.py").write_text(PLUGIN)
    file = write_toy(tmp_path, tiny_root, epochs=2)
    factors = file.read_text().replace("{random_erasing: , bnneck: , center_loss: }", "{mine: }")
    file.write_text(factors.replace("name: toy\n", "name: toy\nplugins: [mine.py]\n"))
    process = start_ablate(file, tmp_path / "output", *UNTRACKED, "--executor", "slurm", "--slurm", "time=60")
    text, _ = process.communicate(timeout=400)
    assert process.returncode == 0, text
    runs = [RunFolder(path) for path in (tmp_path / "output" / "runs").iterdir()]
    assert [run.read_state().state.has_result for run in runs] == [True, True]  # two epochs may learn nothing
    assert all(run.require_run().plugins[0].name == "mine" for run in runs)
    assert {str(run.require_run().recipe.field("pooling.kind")) for run in runs} == {"average", "max"}
