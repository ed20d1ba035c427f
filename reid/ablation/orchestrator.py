"""Trains a plan's runs on an executor until every one has its outcome."""

import signal
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reid.ablation.dispatch import Dispatch, Happened
from reid.ablation.ledger import Ledger


@dataclass
class RunStatus:
    """What the board shows of one run."""

    signature: str
    arm: str
    seed: int
    state: str = "planned"
    epoch: int = 0
    epochs: int = 0
    mAP: float | None = None
    reason: str | None = None
    started: float | None = None
    seconds: float | None = None


@dataclass
class Board:
    """All runs of a grid as they stand, and how long the launch has taken."""

    grid: str
    runs: dict[str, RunStatus]
    slots: int
    began: float = field(default_factory=time.monotonic)
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def counts(self) -> Counter[str]:
        return Counter(run.state for run in self.runs.values())

    def remaining_seconds(self) -> float | None:
        """Mean time of the runs of this launch, times what is left, over the slots; None before one has ended."""
        taken = [run.seconds for run in self.runs.values() if run.seconds is not None]
        if not taken:
            return None
        open_runs = sum(run.state in ("planned", "running") for run in self.runs.values())
        return sum(taken) / len(taken) * open_runs / self.slots


def make_board(plan: dict[str, Any], ledger: Ledger, slots: int) -> Board:
    """The board of a plan, from its run folders."""
    epochs = {arm["arm"]: arm["recipe"]["schedule"]["epochs"] for arm in plan["arms"]}
    runs = {}
    for run in plan["runs"]:
        folder = ledger.folder(run["signature"])
        state, evaluations = folder.read("state") or {}, folder.read("evaluations") or []
        runs[run["signature"]] = RunStatus(
            run["signature"], run["arm"], run["seed"], state.get("state", "planned"), state.get("epoch", 0),
            epochs[run["arm"]], evaluations[-1]["mAP"] if evaluations else None, state.get("reason"),
        )  # fmt: skip
    return Board(plan["name"], runs, slots)


class Orchestrator:
    """Hands the runs of a plan that are not over to a dispatch, in the plan's order.

    `changed` is called with a run folder to project, `show` with the board.
    """

    def __init__(
        self,
        plan: dict[str, Any],
        board: Board,
        dispatch: Dispatch,
        changed: Callable[[Path], None],
        show: Callable[[Board, RunStatus | None], None],
    ) -> None:
        self.board = board
        self.dispatch = dispatch
        self.changed = changed
        self.show = show
        self.pending = [signature for signature in board.runs if not dispatch.ledger.is_over(signature)]
        self.shares = {run["signature"]: run.get("shares") for run in plan["runs"]}
        self.interrupts = 0

    def run(self) -> Counter[str]:
        """Train until nothing is pending and no slot is busy; returns the number of runs by state.

        The first Ctrl-C or SIGTERM lets every worker finish its epoch and stops; the second ends them at once. Both
        leave a grid that the same command continues.
        """
        handlers = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while self.interrupts < 2 and not (self.dispatch.idle() and (self.interrupts or not self.pending)):
                self._advance()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return self.board.counts()

    def _interrupt(self, *_: object) -> None:
        """A handler, as KeyboardInterrupt could fall between reading a message and acting on it."""
        self.interrupts += 1

    def _advance(self) -> None:
        if self.interrupts and not self.dispatch.stopping:
            self.board.notices.append("stopping after the epoch in flight; Ctrl-C again ends at once")
            self.dispatch.stop()
        while not self.dispatch.stopping and self.dispatch.free() > 0 and (ready := self._next()) is not None:
            self.pending.remove(ready)
            self.dispatch.submit(ready)
        for happened in self.dispatch.advance(timeout=0.25):
            self._take(happened)
        self.show(self.board, None)

    def _next(self) -> str | None:
        """The first pending run whose training, if it shares another's, has its outcome."""
        unsettled = {*self.pending, *self.dispatch.running, *(signature for signature, _ in self.dispatch.queue)}
        return next((signature for signature in self.pending if self.shares[signature] not in unsettled), None)

    def _take(self, happened: Happened) -> None:
        run = self.board.runs[happened.signature]
        folder = self.dispatch.ledger.folder(happened.signature)
        match happened.kind:
            case "progress":
                run.epoch = happened.content["epoch"]
                if "mAP" in happened.content:
                    run.mAP = happened.content["mAP"]
                    self.changed(folder.path)
                return
            case "started":
                run.state, run.started = "running", time.monotonic()
            case "retry":
                run.state = "planned"
                self.board.notices.append(f"{run.arm} s{run.seed}: {happened.content}")
            case "ended":
                run.state = happened.content
                run.seconds = time.monotonic() - (run.started or time.monotonic())
                run.reason = (folder.read("state") or {}).get("reason")
        self.changed(folder.path)
        self.show(self.board, run)
