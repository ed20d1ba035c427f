"""What a worker makes of an attempt that is disturbed; real training, for an epoch or two."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from reid.execution.worker import Worker
from reid.grids.launch import Progress, prepare
from reid.grids.status import Board, RunStatus
from reid.store.claim import claim_file, read_holder, take
from reid.store.run_folder import RunFolder
from tests.helpers.grids import TOY


class Quiet:
    """A view that shows nothing."""

    def preparing(self, what: str) -> nullcontext[Progress]:  # noqa: ARG002 - the protocol's
        return nullcontext(lambda done, total: None)  # noqa: ARG005 - the protocol's

    def show(self, board: Board, changed: RunStatus | None) -> None: ...

    def warn(self, text: str) -> None: ...


@pytest.fixture(scope="module")
def runs(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    """The toy grid's runs, planned."""
    folder = tmp_path_factory.mktemp("attempts")
    (folder / "toy.yaml").write_text(TOY.format(epochs=3, root=tiny_root))
    launched = prepare(folder / "toy.yaml", folder / "output", {}, False, "reid ablate toy.yaml", Quiet())
    return [launched.ledger.folder(run["signature"]) for run in launched.plan["runs"]]


@pytest.fixture
def worker(runs: list[RunFolder]) -> Worker:
    return Worker(runs[0].path.parents[1] / "cache", torch.device("cpu"), skip_unreadable=False, slot="7")


def test_an_error_is_held_when_it_comes_back_and_a_stop_is_not(worker: Worker, runs: list[RunFolder]) -> None:
    run = runs[0]

    def broken(numbers: dict[str, Any]) -> None:
        if numbers["epoch"] == 2:
            raise ValueError(f"broken in iteration {numbers.get('iteration')}")

    assert worker.execute(run.path, broken, lambda: False) == "failed"
    first = run.read("state")
    assert (first["epoch"], first["held"], first["transient"], first["slot"]) == (1, False, False, "7")
    assert worker.execute(run.path, broken, lambda: False) == "failed"
    assert run.read("state")["held"]
    assert run.read("state")["seconds"] > first["seconds"]
    assert not run.progress.exists()

    assert worker.execute(run.path, lambda _: None, lambda: True) == "stopped"
    preempted = run.read("state")
    assert (preempted["epoch"], preempted["held"], preempted["transient"]) == (2, False, True)
    run.stop_request.touch()
    assert worker.execute(run.path, lambda _: None, lambda: False) == "finished", "too late: it was the last epoch"
    assert worker.execute(runs[1].path, lambda _: None, lambda: False, until=1) == "stopped"
    assert not runs[1].read("state")["transient"], "it was paused, as it was told"


def test_a_run_that_another_machine_took_over_is_given_up_unwritten(worker: Worker, runs: list[RunFolder]) -> None:
    run, before = runs[2], dict[str, Any]()

    def taken_over(numbers: dict[str, Any]) -> None:
        if numbers["epoch"] == 2 and not before:
            holder = read_holder(run)
            assert holder is not None
            assert take(run, dead=holder.generation) is not None
            run.write("state", {"state": "running", "host": "another"})
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

    monkeypatch.setattr("reid.store.run_folder.write_json", full)
    monkeypatch.setattr("reid.store.run_store.write_json", full)
    with pytest.raises(OSError, match="No space left on device"):
        worker.execute(runs[3].path, lambda _: None, lambda: False)
    monkeypatch.undo()
    assert runs[3].state() == "planned"
    assert worker.execute(runs[3].path, lambda _: None, lambda: True) == "stopped", "nobody holds it"
