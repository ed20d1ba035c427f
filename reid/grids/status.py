"""A grid as it stands: what a view shows of it, kept up to date run by run."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from reid.store.claim import read_holder
from reid.store.run_folder import RunFolder
from reid.store.run_records import ENDED
from reid.store.run_store import Ledger


@dataclass
class RunStatus:
    """What the board shows of one run. `images_per_second`, `eta` (seconds) and `slot` only while it trains."""

    signature: str
    arm: str
    seed: int
    state: str = "planned"
    epoch: int = 0
    epochs: int = 0
    mAP: float | None = None
    reason: str | None = None
    held: bool = False
    censored: bool = False
    started: float | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    eta: float | None = None
    slot: str | None = None
    host: str | None = None
    pid: int | None = None

    def is_over(self) -> bool:
        """Whether it has its result, or a budget ended it, or it failed."""
        return self.state in ENDED or self.state == "failed" or self.censored

    def take(self, numbers: dict[str, Any]) -> None:
        """What a worker reported."""
        self.epoch = numbers["epoch"]
        self.mAP = numbers.get("mAP", self.mAP)
        self.images_per_second = numbers.get("images_per_second", self.images_per_second)
        self.eta = numbers.get("eta", self.eta)
        self.slot = numbers.get("slot", self.slot)


@dataclass
class Board:
    """All runs of a grid. A run's state is changed by `move` alone, which keeps the counts."""

    grid: str
    runs: dict[str, RunStatus]
    slots: int
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

    def counts(self) -> Counter[str]:
        """Runs by state, those with none left out."""
        return +self._counts

    def over(self) -> int:
        """Runs that have their result."""
        return sum(self._counts[state] for state in ENDED)

    def censored(self) -> int:
        return sum(run.censored for run in self.runs.values())

    def is_over(self) -> bool:
        return all(run.is_over() for run in self.runs.values())

    def move(self, run: RunStatus, state: str) -> None:
        self._counts[run.state] -= 1
        self._counts[state] += 1
        run.state = state
        self._time(run)

    def _time(self, run: RunStatus) -> None:
        if run.state in ENDED and run.seconds is not None:
            self._seconds += run.seconds - self._taken.get(run.signature, 0.0)
            self._taken[run.signature] = run.seconds

    def remaining_seconds(self) -> float | None:
        """Mean time of the runs that have a result, times what is left, over the slots; None before one has."""
        if not self._taken:
            return None
        left = self._counts["planned"] + self._counts["running"]
        return self._seconds / len(self._taken) * left / max(1, self.slots)

    def refresh(self, ledger: Ledger) -> list[RunStatus]:
        """Read again the folders that changed since they were last read; returns the runs that changed."""
        folders = [(run, ledger.folder(run.signature)) for run in self.runs.values()]
        return [run for run, folder in folders if self._changed(folder) and self._read(run, folder)]

    def _changed(self, folder: RunFolder) -> bool:
        """Whether the run trains, or its state file is another than when it was last looked at."""
        try:
            seen = (folder.path / "state.json").stat().st_mtime_ns
        except FileNotFoundError:
            seen = 0
        before = self._seen.get(folder.signature, 0)
        self._seen[folder.signature] = seen
        return seen != before or self.runs[folder.signature].state == "running"

    def _read(self, run: RunStatus, folder: RunFolder) -> bool:
        """Bring one run up to date; whether that changed anything but its pace."""
        before = (run.state, run.epoch, run.mAP, run.reason)
        state, evaluations = folder.read("state") or {}, folder.read("evaluations") or []
        now, run.reason = state.get("state", "planned"), state.get("reason")
        run.epoch, run.mAP = state.get("epoch", 0), evaluations[-1]["mAP"] if evaluations else None
        run.seconds = state.get("seconds")
        run.held, run.censored = state.get("held", False), state.get("censored", False)
        run.host, run.pid, run.slot, run.images_per_second, run.eta = None, None, None, None, None
        if now == "running":
            holder = read_holder(folder)
            if holder is None or holder.is_over():
                now, run.reason = "stopped", "interrupted: its process ended without a word"
            else:
                run.host, run.pid, run.slot = state.get("host"), state.get("pid"), state.get("slot")
                run.take(folder.read("progress") or {"epoch": run.epoch})
        self.move(run, now)
        return before != (run.state, run.epoch, run.mAP, run.reason)


def make_board(plan: dict[str, Any], ledger: Ledger, slots: int) -> Board:
    """The board of a plan, from its run folders."""
    epochs = {arm["arm"]: arm["recipe"]["schedule"]["epochs"] for arm in plan["arms"]}
    runs = {
        run["signature"]: RunStatus(run["signature"], run["arm"], run["seed"], epochs=epochs[run["arm"]])
        for run in plan["runs"]
    }
    board = Board(plan["name"], runs, slots)
    board.refresh(ledger)
    return board
