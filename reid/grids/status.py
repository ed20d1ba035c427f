"""A grid as it stands: what a view shows of it, kept up to date run by run."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from reid.grids.designs.batches import batches_due
from reid.store.looks import LookRecord, read_looks
from reid.store.plan import Plan, PlannedRun, read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import ProgressRecord, RunState
from reid.store.run_store import RunSnapshot, RunStore, take_snapshot

FULL_SEEDS = 3  # of the full grid that one that grows is compared with


@dataclass
class RunStatusRow:
    """What is shown of one run. `images_per_second`, `eta` (seconds) and `slot` only while it trains."""

    signature: str
    arm: str
    seed: int
    title: str = ""  # of the arm, where the grid lists its arms
    state: RunState = RunState.PLANNED
    epoch: int = 0
    epochs: int = 0
    mAP: float | None = None
    reason: str | None = None
    quarantined: bool = False
    early_stopped: bool = False
    started: float | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    eta: float | None = None
    slot: str | None = None
    host: str | None = None
    pid: int | None = None

    @property
    def name(self) -> str:
        """Arm and seed for a line of text: the arm's title where the grid lists its arms."""
        return f"{self.title or self.arm} s{self.seed}"

    def is_over(self) -> bool:
        """Whether nothing is left to come in this launch: a result, an early stop, a failure, or damaged records."""
        return self.state.has_result or self.state in (RunState.FAILED, RunState.UNREADABLE) or self.early_stopped

    def take(self, progress: ProgressRecord) -> None:
        """Take in what a worker reported."""
        self.epoch = progress.epoch
        self.mAP = self.mAP if progress.scores is None else progress.scores.mAP
        self.images_per_second = progress.images_per_second or self.images_per_second
        self.eta = progress.eta or self.eta
        self.slot = progress.slot or self.slot

    def show(self, snapshot: RunSnapshot) -> None:
        """Take in all but the state of a run as its folder shows it."""
        record = snapshot.record
        self.reason, self.epoch, self.mAP, self.seconds = record.reason, record.epoch, snapshot.mAP, record.seconds
        self.quarantined, self.early_stopped = record.quarantined, record.early_stopped
        self.host, self.pid, self.slot, self.images_per_second, self.eta = None, None, None, None, None
        if record.state == RunState.RUNNING:
            self.host, self.pid, self.slot = record.host, record.pid, record.slot
            if snapshot.progress:
                self.take(snapshot.progress)


@dataclass
class GridStatus:
    """All runs of a grid, and the looks at one that grows. A run's state is changed by `move` alone, which keeps the
    counts.
    """

    plan: Plan
    runs: dict[str, RunStatusRow]
    slots: int
    looks: tuple[LookRecord, ...] = ()
    began: float = field(default_factory=time.monotonic)
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=5))
    gave_up: str | None = None

    def __post_init__(self) -> None:
        self._counts = Counter(run.state for run in self.runs.values())
        self._taken: dict[str, float] = {}  # seconds of runs that have their result
        self._seconds = 0.0
        self._seen: dict[str, int] = {}
        for run in self.runs.values():
            self._time(run)

    @property
    def grid(self) -> str:
        return self.plan.name

    def counts(self) -> Counter[RunState]:
        """Runs by state, those with none left out."""
        return +self._counts

    def with_result(self) -> int:
        """Runs that have their result."""
        return sum(count for state, count in self._counts.items() if state.has_result)

    def early_stopped(self) -> int:
        """Runs that a budget ended for good."""
        return sum(run.early_stopped for run in self.runs.values())

    def is_over(self) -> bool:
        """Whether nothing is left to come in this launch: of a grid that grows, no look either."""
        if not all(run.is_over() for run in self.runs.values()):
            return False
        held_up = any(
            run.state == RunState.UNREADABLE or (run.state == RunState.FAILED and not run.quarantined)
            for run in self.runs.values()
        )
        return held_up or not self.is_growing()

    def is_growing(self) -> bool:
        """Whether a look is to come that may ask for another batch."""
        return self.plan.until is not None and not (self.looks and self.looks[-1].stop)

    def _due(self) -> int:
        """Runs that a grid that grows has, after the looks so far."""
        return batches_due(self.looks) * self.plan.until.batch if self.plan.until else 0

    @property
    def full(self) -> int:
        """Runs of the full grid that this one is compared with: every combination, with FULL_SEEDS seeds."""
        return prod(len(factor.levels) for factor in self.plan.factors) * FULL_SEEDS

    def seconds_of(self, runs: int) -> float | None:
        """Seconds that so many more runs would train, as long as those that have a result; None before one has."""
        return self._seconds / len(self._taken) * runs if self._taken else None

    def grow(self, plan: Plan, looks: Sequence[LookRecord], run_store: RunStore) -> list[PlannedRun]:
        """Take in what a grid has grown by; returns the runs that are new."""
        self.plan, self.looks = plan, tuple(looks)
        new = [run for run in plan.runs if run.signature not in self.runs]
        for run in new:
            row = _row(plan, run)
            self.runs[run.signature] = row
            self._counts[row.state] += 1
            self._read(row, run_store.folder(run.signature))
        return new

    def move(self, run: RunStatusRow, state: RunState) -> None:
        self._counts[run.state] -= 1
        self._counts[state] += 1
        run.state = state
        self._time(run)

    def _time(self, run: RunStatusRow) -> None:
        if run.state.has_result and run.seconds is not None:
            self._seconds += run.seconds - self._taken.get(run.signature, 0.0)
            self._taken[run.signature] = run.seconds

    def remaining_seconds(self) -> float | None:
        """Mean time of the runs that have a result, times what is left, over the slots; None before one has."""
        seconds = self.seconds_of(self._counts[RunState.PLANNED] + self._counts[RunState.RUNNING])
        return None if seconds is None else seconds / max(1, self.slots)

    def refresh(self, run_store: RunStore) -> list[RunStatusRow]:
        """Read again the folders that changed since they were last read; returns the runs that changed.

        So is the plan of a grid that grows, in whatever process it does.
        """
        if self.is_growing():
            folder = run_store.output / "grids" / self.grid
            looks = read_looks(folder)
            if looks != self.looks or len(self.plan.runs) < self._due():
                self.grow(read_plan(folder).plan, looks, run_store)
        folders = [(run, run_store.folder(run.signature)) for run in self.runs.values()]
        return [run for run, folder in folders if self._changed(folder) and self._read(run, folder)]

    def _changed(self, folder: RunFolder) -> bool:
        """Whether the run trains, or its state file is another than when it was last looked at."""
        try:
            seen = (folder.path / "state.json").stat().st_mtime_ns
        except OSError:
            seen = 0
        before = self._seen.get(folder.signature, 0)
        self._seen[folder.signature] = seen
        return seen != before or self.runs[folder.signature].state == RunState.RUNNING

    def _read(self, run: RunStatusRow, folder: RunFolder) -> bool:
        """Bring one run up to date; whether that changed anything but its pace."""
        before = (run.state, run.epoch, run.mAP, run.reason)
        snapshot = take_snapshot(folder)
        run.show(snapshot)
        self.move(run, snapshot.record.state)
        return before != (run.state, run.epoch, run.mAP, run.reason)


def open_status(plan: Plan, run_store: RunStore, slots: int) -> GridStatus:
    """The status of a planned grid, from its folder and those of its runs."""
    looks = read_looks(run_store.output / "grids" / plan.name) if plan.until else ()
    status = GridStatus(plan, {run.signature: _row(plan, run) for run in plan.runs}, slots, looks)
    status.refresh(run_store)
    return status


def _row(plan: Plan, run: PlannedRun) -> RunStatusRow:
    epochs = plan.arm_by_name[run.arm].recipe.epochs
    return RunStatusRow(run.signature, run.arm, run.seed, title=plan.title_of(run.arm), epochs=epochs)
