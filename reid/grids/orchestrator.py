"""Trains a plan's runs through a dispatch until every one has its outcome."""

import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reid.execution.dispatch import Dispatch, Happened
from reid.execution.interrupts import Interrupts
from reid.grids.budget import Budget
from reid.grids.status import Board, RunStatus
from reid.store.stop_request import StopRequest


class Orchestrator:
    """Hands the runs of a plan that are not over to a dispatch, in the plan's order; a budget says how far each goes.

    `changed` is called with a run folder to project, `show` with the board and, where a run changed its state, the run.
    """

    def __init__(
        self,
        plan: dict[str, Any],
        board: Board,
        dispatch: Dispatch,
        changed: Callable[[Path], None],
        show: Callable[[Board, RunStatus | None], None],
        stop_request: StopRequest | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.board = board
        self.dispatch = dispatch
        self.changed = changed
        self.show = show
        self.stop_request = stop_request
        left = [signature for signature in board.runs if not dispatch.ledger.is_over(signature)]
        sources = {run["signature"]: run.get("shares") for run in plan["runs"]}
        open_runs = set(left)
        self.pending = deque(signature for signature in left if sources[signature] not in open_runs)
        self.waiting: dict[str, list[str]] = {}  # by the run whose training they share
        for signature in left:
            if (source := sources[signature]) in open_runs:
                self.waiting.setdefault(source, []).append(signature)
        self.budget = budget
        self.until: dict[str, int | None] = {}  # the epoch that the budget lets a run go to
        self.paused: set[str] = set()  # runs that wait for the budget's verdict
        if budget is not None:
            self.paused = {signature for signature in self.pending if signature in budget.arms}
            self.pending = deque(signature for signature in self.pending if signature not in self.paused)
            self._heed(budget)

    def run(self) -> Counter[str]:
        """Train until nothing is pending and no slot is busy; returns the number of runs by state.

        The first Ctrl-C or SIGTERM, or a stop request, lets every worker finish its epoch and stops; the second ends
        them at once. All leave a grid that the same command continues.
        """
        with Interrupts() as interrupts:
            while interrupts.count < 2 and not (self.dispatch.idle() and (self.dispatch.stopping or not self.pending)):
                if not self.dispatch.stopping and (interrupts.count or self._asked_to_stop()):
                    self.board.notices.append("stopping after the epoch in flight; Ctrl-C again ends at once")
                    self.dispatch.stop()
                self._advance()
        self.board.gave_up = self.dispatch.gave_up
        return self.board.counts()

    def _asked_to_stop(self) -> bool:
        return self.stop_request is not None and self.stop_request.is_new()

    def _advance(self) -> None:
        while self.pending and not self.dispatch.stopping and self.dispatch.free() > 0:
            signature = self.pending.popleft()
            self.dispatch.submit(signature, self.until.get(signature))
        for happened in self.dispatch.advance(timeout=0.25):
            self._take(happened)
        self.show(self.board, None)

    def _take(self, happened: Happened) -> None:
        run = self.board.runs[happened.signature]
        folder = self.dispatch.ledger.folder(happened.signature)
        match happened.kind:
            case "progress":
                run.take(happened.content)
                if "mAP" in happened.content:
                    self.changed(folder.path)
                return
            case "started":
                run.started, run.reason = time.monotonic(), None
                self.board.move(run, "running")
            case "retry":
                run.reason = happened.content
                self.board.move(run, "running" if folder.state() == "running" else "planned")
                self.board.notices.append(f"{run.arm} s{run.seed}: {happened.content}")
            case "ended" if self.budget is not None and run.signature in self.budget.arms:
                self._hear(self.budget, run, happened.content)
            case "ended":
                self._end(run, happened.content)
        self.changed(folder.path)
        self.show(self.board, run)

    def _hear(self, budget: Budget, run: RunStatus, outcome: str) -> None:
        """A run came back: it waits for the budget's verdict, or is over, and others may go on because of it."""
        if budget.heard(run.signature, self.until[run.signature]):
            self.paused.add(run.signature)
            run.reason = f"waits for the other arms at epoch {self.until[run.signature]}"
            self.board.move(run, outcome)
        else:
            self._end(run, outcome)
        if not self.dispatch.stopping:
            self._heed(budget)

    def _heed(self, budget: Budget) -> None:
        """Queue the paused runs that the budget lets go on, and end those that it does not."""
        for signature, verdict in budget.verdicts().items():
            if signature not in self.paused or verdict.kind == "wait":
                continue
            self.paused.remove(signature)
            if verdict.kind == "train":
                self.until[signature] = verdict.epoch
                self.pending.append(signature)
                continue
            budget.end(signature, verdict)
            self._end(self.board.runs[signature], "stopped")
            self.changed(self.dispatch.ledger.folder(signature).path)
            self.show(self.board, self.board.runs[signature])

    def _end(self, run: RunStatus, outcome: str) -> None:
        folder = self.dispatch.ledger.folder(run.signature)
        state, evaluations = folder.read("state") or {}, folder.read("evaluations") or []
        run.reason = state.get("reason")
        run.held, run.censored = state.get("held", False), state.get("censored", False)
        run.mAP = evaluations[-1]["mAP"] if evaluations else None
        run.seconds = state.get("seconds", time.monotonic() - run.started if run.started else None)
        self.board.move(run, outcome)
        self.pending.extendleft(reversed(self.waiting.pop(run.signature, [])))
