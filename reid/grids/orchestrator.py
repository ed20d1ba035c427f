"""Trains a plan's runs through a dispatch until every one has its outcome."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path

from reid.execution.dispatch import Dispatch
from reid.execution.events import Ended, Progressed, Retrying, RunEvent, Started
from reid.execution.interrupts import Interrupts
from reid.grids.budget import Budget
from reid.grids.growth import Growth
from reid.grids.status import GridStatus, RunStatusRow
from reid.store.plan import Plan, PlannedRun
from reid.store.run_records import RunState
from reid.store.run_store import take_snapshot
from reid.store.stop_request import StopRequest


class Orchestrator:
    """Hands the runs of a plan that are not over to a dispatch, in the plan's order; a budget says how far each goes.

    A plan that grows is gone on with as long as it does. `changed` is called with a folder to project, of a run or of
    the grid, `show` with the status and a run that changed its state.
    """

    def __init__(
        self,
        plan: Plan,
        status: GridStatus,
        dispatch: Dispatch,
        changed: Callable[[Path], None],
        show: Callable[[GridStatus, RunStatusRow | None], None],
        stop_request: StopRequest | None = None,
        budget: Budget | None = None,
        growth: Growth | None = None,
    ) -> None:
        self.status = status
        self.dispatch = dispatch
        self.changed = changed
        self.show = show
        self.stop_request = stop_request
        self.pending: deque[str] = deque()
        self.waiting: dict[str, list[str]] = {}  # by the run whose training they share
        self._queue(plan.runs)
        self.growth = growth
        self.budget = budget
        self.until: dict[str, int | None] = {}  # the epoch that the budget lets a run go to
        self.paused: set[str] = set()  # runs that wait for the budget's decision
        if budget is not None:
            self.paused = {signature for signature in self.pending if signature in budget.arms}
            self.pending = deque(signature for signature in self.pending if signature not in self.paused)
            self._heed(budget)

    def run(self) -> Counter[RunState]:
        """Train until nothing is pending and no slot is busy; returns the number of runs by state.

        The first Ctrl-C or SIGTERM, or a stop request, lets every worker finish its epoch and stops; the second ends
        them at once. All leave a grid that the same command continues.
        """
        with Interrupts() as interrupts:
            while interrupts.count < 2 and not self._is_over():
                if not self.dispatch.stopping and (interrupts.count or self._asked_to_stop()):
                    self.status.notices.append("stopping after the epoch in flight; Ctrl-C again ends at once")
                    self.dispatch.stop()
                self._advance()
        self.status.gave_up = self.dispatch.gave_up
        return self.status.counts()

    def _queue(self, runs: Sequence[PlannedRun]) -> None:
        """Queue those of `runs` that are not settled; one that shares the training of another waits for it."""
        left = [run for run in runs if not self.dispatch.store.is_settled(run.signature)]
        open_runs = {run.signature for run in left}
        for run in left:
            if run.shares in open_runs:
                self.waiting.setdefault(run.shares, []).append(run.signature)
            else:
                self.pending.append(run.signature)

    def _is_over(self) -> bool:
        if not self.dispatch.idle():
            return False
        return self.dispatch.stopping or not (self.pending or self._goes_on())

    def _goes_on(self) -> bool:
        """Whether the plan may grow, now that all its runs are over; what it has grown by is queued."""
        if self.growth is None:
            return False
        before = self.growth.plan
        goes_on = self.growth.goes_on()
        if self.growth.plan is not before:
            self._queue(self.status.grow(self.growth.plan, self.growth.looks, self.dispatch.store))
            self.changed(self.growth.folder)
            self.show(self.status, None)
        return goes_on

    def _asked_to_stop(self) -> bool:
        return self.stop_request is not None and self.stop_request.is_new()

    def _advance(self) -> None:
        while self.pending and not self.dispatch.stopping and self.dispatch.free() > 0:
            signature = self.pending.popleft()
            self.dispatch.submit(signature, self.until.get(signature))
        for event in self.dispatch.advance(timeout=0.25):
            self._take(event)
        self.show(self.status, None)

    def _take(self, event: RunEvent) -> None:
        run = self.status.runs[event.signature]
        folder = self.dispatch.store.folder(event.signature)
        match event:
            case Progressed():
                run.take(event.progress)
                if event.evaluated:
                    self.changed(folder.path)
                return
            case Started():
                run.started, run.reason = time.monotonic(), None
                self.status.move(run, RunState.RUNNING)
            case Retrying():
                run.reason = event.reason
                running = folder.read_state().state == RunState.RUNNING
                self.status.move(run, RunState.RUNNING if running else RunState.PLANNED)
                self.status.notices.append(f"{run.name}: {event.reason}")
            case Ended() if self.budget is not None and run.signature in self.budget.arms:
                self._hear(self.budget, run, event.state)
            case Ended():
                self._end(run, event.state)
        self.changed(folder.path)
        self.show(self.status, run)

    def _hear(self, budget: Budget, run: RunStatusRow, outcome: RunState) -> None:
        """A run came back: it waits for the budget's decision, or is over, and others may go on because of it."""
        if budget.heard(run.signature, self.until[run.signature]):
            self.paused.add(run.signature)
            run.reason = f"waits for the other arms at epoch {self.until[run.signature]}"
            self.status.move(run, outcome)
        else:
            self._end(run, outcome)
        if not self.dispatch.stopping:
            self._heed(budget)

    def _heed(self, budget: Budget) -> None:
        """Queue the paused runs that the budget lets go on, and end those that it does not."""
        for signature, decision in budget.decisions().items():
            if signature not in self.paused or decision.kind == "wait":
                continue
            self.paused.remove(signature)
            if decision.kind == "train":
                self.until[signature] = decision.epoch
                self.pending.append(signature)
                continue
            budget.end(signature, decision)
            self._end(self.status.runs[signature], RunState.STOPPED)
            self.changed(self.dispatch.store.folder(signature).path)
            self.show(self.status, self.status.runs[signature])

    def _end(self, run: RunStatusRow, outcome: RunState) -> None:
        snapshot = take_snapshot(self.dispatch.store.folder(run.signature))
        record = snapshot.record
        run.reason, run.mAP = record.reason, snapshot.mAP
        run.quarantined, run.early_stopped = record.quarantined, record.early_stopped
        run.seconds = record.seconds or (time.monotonic() - run.started if run.started else None)
        self.status.move(run, outcome)
        self.pending.extendleft(reversed(self.waiting.pop(run.signature, [])))
