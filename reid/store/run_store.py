"""The runs of an output folder: a folder a signature, claimed by whoever trains the run."""

import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Unpack

from pydantic import Field

from reid.errors import InputError
from reid.files import read_record, write_record
from reid.registry import active_plugins
from reid.store.claim import claim, read_holder
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import (
    DatasetRecord,
    EvaluationRecord,
    FileRecord,
    ProgressRecord,
    RecipeRecord,
    RunRecord,
    RunState,
    StateChanges,
    StateRecord,
)

INTERRUPTED = "interrupted: its process ended without a word"


class RunStore:
    """Run folders under `<output>/runs`."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.runs = output / "runs"

    @classmethod
    def create(cls, output: Path) -> "RunStore":
        """The runs of an output folder, which is made if need be. Raises InputError where it cannot be written."""
        store = cls(output)
        probe = output / f".probe.{os.getpid()}"
        try:
            store.runs.mkdir(parents=True, exist_ok=True)
            try:
                probe.write_text("room for a byte", encoding="ascii")
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"{output}: the output folder must be writable ({error.strerror}); give another with --output"
            ) from error
        return store

    def folder(self, signature: str) -> RunFolder:
        return RunFolder(self.runs / signature)

    def folders(self) -> list[RunFolder]:
        """Every run there is, by signature; files that lie about are none."""
        return [RunFolder(path) for path in sorted(self.runs.glob("[!.]*")) if path.is_dir()]

    def enter(self, asked: RunRecord) -> RunFolder:
        """The folder of a run, made with its run.json if it is new, with a state that is true.

        What is there already stays, but for the run whose training it shares and the plugins, where the run has no
        result yet. A run whose records are damaged stays as it is. Raises InputError where a file is in the way.
        """
        folder = self.folder(asked.signature)
        try:
            folder.path.mkdir(exist_ok=True)
        except FileExistsError:
            raise InputError(f"{folder.path}: must be the folder of a run, found a file; move it away") from None
        if folder.read_state().state == RunState.UNREADABLE:
            return folder
        known = folder.read_run()
        if known is None:
            folder.write_run(asked, durable=False)  # thousands at a time, from the plan
        elif (known.shares, known.plugins) != (asked.shares, asked.plugins):
            with claim(folder) as mine:
                if mine and not folder.read_state().is_settled:
                    folder.write_run(asked)
        self.settle(asked.signature)
        return folder

    def is_settled(self, signature: str) -> bool:
        """Whether no launch trains the run, see StateRecord."""
        return self.folder(signature).read_state().is_settled

    def settle(self, signature: str) -> RunState:
        """The run's state, after marking as stopped one that says running while nobody holds it."""
        folder = self.folder(signature)
        if folder.read_state().state == RunState.RUNNING:
            with claim(folder) as mine:
                if mine and folder.read_state().state == RunState.RUNNING:
                    set_state(folder, state=RunState.STOPPED, reason=INTERRUPTED)
        return folder.read_state().state


class OutputRecord(FileRecord):
    """output.json: which output folder this is, for stores that several show themselves in."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="drawn once; moves and copies keep it")]


def output_id(output: Path) -> str:
    """The id of an output folder, drawn if it has none; for one process of it at a time."""
    record = read_record(output / "output.json", OutputRecord)
    if record is None:
        record = OutputRecord(id=secrets.token_hex(8))
        write_record(output / "output.json", record)
    return record.id


def asked_now(
    signature: str, recipe: RecipeRecord, seed: int, dataset: DatasetRecord, shares: str | None = None
) -> RunRecord:
    """What run.json says of a run that is planned now. `shares` is the run whose training it shares."""
    return RunRecord(
        signature=signature,
        recipe=recipe,
        seed=seed,
        dataset=dataset,
        code=training_code(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        shares=shares,
        plugins=active_plugins(),
    )


def set_state(folder: RunFolder, *, durable: bool = True, **changes: Unpack[StateChanges]) -> None:
    """Write `changes` over the run's state. What is durable is there after a power failure; an end must be."""
    changes["updated"] = time.time()
    folder.write_state(folder.state_to_change().changed(**changes), durable)


def settle_all(output: Path) -> None:
    """Settle every run of an output folder."""
    store = RunStore(output)
    for folder in store.folders():
        store.settle(folder.signature)


def release(folder: RunFolder) -> bool:
    """Let the next launch try a failed run as if it had never failed; returns whether it had, and nobody holds it."""
    with claim(folder) as mine:
        if mine is None or folder.read_state().state != RunState.FAILED:
            return False
        set_state(folder, quarantined=False, transient=False, trace=None, hung=None)
    return True


def stop_early(folder: RunFolder, reason: str) -> None:
    """Say in a run's folder, if it does not yet, that the run was left on purpose and for good."""
    with claim(folder) as mine:
        state = folder.read_state()
        if mine and state.state != RunState.UNREADABLE and not state.early_stopped:
            set_state(folder, reason=reason, early_stopped=True)


def lift_early_stop(folder: RunFolder) -> None:
    """Let a run go on that was left on purpose, unless another process has it."""
    with claim(folder) as mine:
        if mine and folder.read_state().early_stopped:
            set_state(folder, early_stopped=False)


@dataclass(frozen=True)
class RunSnapshot:
    """State, evaluations so far and, while it trains, progress of a run, read once.

    A run that says running while nobody holds it was interrupted: its state here is stopped. One whose records are
    damaged is unreadable.
    """

    record: StateRecord
    evaluations: tuple[EvaluationRecord, ...]
    progress: ProgressRecord | None = None

    @property
    def mAP(self) -> float | None:
        """mAP of the last evaluation."""
        return self.evaluations[-1].mAP if self.evaluations else None


def take_snapshot(folder: RunFolder) -> RunSnapshot:
    """The run in `folder` as it is now."""
    record = folder.read_state()
    if record.state == RunState.UNREADABLE:
        return RunSnapshot(record, ())
    evaluations = tuple(folder.read_evaluations())
    if record.state != RunState.RUNNING:
        return RunSnapshot(record, evaluations)
    holder = read_holder(folder)
    if holder is None or holder.is_over():
        return RunSnapshot(record.changed(state=RunState.STOPPED, reason=INTERRUPTED), evaluations)
    return RunSnapshot(record, evaluations, folder.read_progress())
