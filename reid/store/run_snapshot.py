"""A run as its folder shows it at one moment."""

from dataclasses import dataclass

from reid.store.claim import read_holder
from reid.store.run_folder import RunFolder
from reid.store.run_records import EvaluationRecord, ProgressRecord, RunState, StateRecord
from reid.store.run_store import INTERRUPTED


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
