"""What a worker makes of an attempt that is disturbed; real training, for an epoch or two."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from reid.execution.worker import Worker
from reid.grids.launch import Progress, prepare
from reid.grids.status import GridStatus, RunStatusRow
from reid.store.claim import claim_file, read_holder, take
from reid.store.run_folder import RunFolder
from reid.store.run_records import ProgressRecord, RunState, StateRecord
from tests.helpers.grids import TOY
from tests.helpers.records import raw


class Quiet:
    """A view that shows nothing."""

    def preparing(self, what: str) -> nullcontext[Progress]:  # noqa: ARG002 - the protocol's
        return nullcontext(lambda done, total: None)  # noqa: ARG005 - the protocol's

    def show(self, board: GridStatus, changed: RunStatusRow | None) -> None: ...

    def warn(self, text: str) -> None: ...


@pytest.fixture(scope="module")
def runs(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    """The toy grid's runs, planned."""
    folder = tmp_path_factory.mktemp("attempts")
    (folder / "toy.yaml").write_text(TOY.format(epochs=3, root=tiny_root))
    launched = prepare(folder / "toy.yaml", folder / "output", {}, False, "reid ablate toy.yaml", Quiet())
    return [launched.run_store.folder(run.signature) for run in launched.plan.runs]


@pytest.fixture
def worker(runs: list[RunFolder]) -> Worker:
    return Worker(runs[0].path.parents[1] / "cache", torch.device("cpu"), skip_unreadable=False, slot="7")


def test_an_error_is_held_when_it_comes_back_and_a_stop_is_not(worker: Worker, runs: list[RunFolder]) -> None:
    run = runs[0]

    def broken(progress: ProgressRecord, _: bool) -> None:
        if progress.epoch == 2:
            raise ValueError(f"broken in iteration {progress.iteration}")

    assert worker.execute(run.path, broken, lambda: False) == "failed"
    first = raw(run, "state")
    assert (first["epoch"], first["quarantined"], first["transient"], first["slot"]) == (1, False, False, "7")
    assert worker.execute(run.path, broken, lambda: False) == "failed"
    assert raw(run, "state")["quarantined"]
    assert raw(run, "state")["seconds"] > first["seconds"]
    assert not run.progress.exists()

    assert worker.execute(run.path, lambda *_: None, lambda: True) == "stopped"
    preempted = raw(run, "state")
    assert (preempted["epoch"], preempted["quarantined"], preempted["transient"]) == (2, False, True)
    run.stop_request.touch()
    assert worker.execute(run.path, lambda *_: None, lambda: False) == "finished", "too late: it was the last epoch"
    assert worker.execute(runs[1].path, lambda *_: None, lambda: False, until=1) == "stopped"
    assert not raw(runs[1], "state")["transient"], "it was paused, as it was told"


def test_a_run_that_another_machine_took_over_is_given_up_unwritten(worker: Worker, runs: list[RunFolder]) -> None:
    run, before = runs[2], dict[str, Any]()

    def taken_over(progress: ProgressRecord, _: bool) -> None:
        if progress.epoch == 2 and not before:
            holder = read_holder(run)
            assert holder is not None
            assert take(run, dead=holder.generation) is not None
            run.write_state(StateRecord(state=RunState.RUNNING, host="another"))
            before.update({path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path != run.progress})

    assert worker.execute(run.path, taken_over, lambda: False) == "running"
    after = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path != run.progress}
    assert before == after
    assert worker.execute(run.path, taken_over, lambda: False) == "running", "another has it"
    assert claim_file(run, 2).read_text()


def test_a_folder_that_cannot_be_written_is_an_os_error(
    worker: Worker, runs: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reid.store.run_folder.write_record", full)
    with pytest.raises(OSError, match="No space left on device"):
        worker.execute(runs[3].path, lambda *_: None, lambda: False)
    monkeypatch.undo()
    assert runs[3].read_state().state == "planned"
    assert worker.execute(runs[3].path, lambda *_: None, lambda: True) == "stopped", "nobody holds it"
