"""Trains runs on an executor, each until it has an outcome, whatever happens to its workers.

What is retried and what is quarantined: docs/decisions/0015.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Unpack

from reid.execution.events import Ended, ExecutorEvent, Lost, Progressed, Retrying, RunEvent, Started
from reid.execution.executors.base import Executor
from reid.execution.failures import ATTEMPTS, delay_before
from reid.store.claim import ClaimMonitor, Holder, claim
from reid.store.run_records import RunState, StateChanges
from reid.store.run_store import RunStore, set_state

WATCHDOG_SECONDS = 3600.0  # a run that shows no progress for so long hangs
STOP_AFTER = 5  # different runs in a row that fail alike: what is wrong is not the runs
LOOK_SECONDS = 1.0  # between looks at runs that other processes train


class Phase(Enum):
    """Where a run is on its way to an outcome."""

    QUEUED = auto()  # it is started when a slot is idle
    RUNNING = auto()  # the executor has it
    BACKOFF = auto()  # it is tried again when it is due, and keeps its slot
    ELSEWHERE = auto()  # another process trains it


@dataclass
class RunInFlight:
    """A run on its way, up to epoch `until` (None: its end).

    `place` orders what is queued. `due` ends a back-off. `heard` and `shown` say when a running run last showed
    progress, `hung` that it was ended for showing none. `tries` counts retries since it was last seen at `epoch`.
    """

    signature: str
    until: int | None
    phase: Phase = Phase.QUEUED
    place: float = 0.0
    due: float = 0.0
    heard: float = 0.0
    shown: int = 0
    hung: bool = False
    epoch: int = 0
    tries: int = 0

    def start(self, now: float) -> None:
        self.phase, self.heard, self.shown, self.hung = Phase.RUNNING, now, 0, False

    def queue(self, place: float) -> None:
        self.phase, self.place = Phase.QUEUED, place

    def leave_to_another(self) -> None:
        self.phase = Phase.ELSEWHERE

    def back_off(self, due: float) -> None:
        self.phase, self.due = Phase.BACKOFF, due

    def count_try(self, epoch: int) -> int:
        """One more retry at `epoch`; how many there were since it was last seen to have gone on."""
        self.tries = self.tries + 1 if epoch == self.epoch or not self.tries else 1
        self.epoch = epoch
        return self.tries


@dataclass
class FailureStreak:
    """The different runs in a row that failed alike."""

    failure: str = ""
    runs: set[str] = field(default_factory=set)

    def add(self, signature: str, failure: str) -> int:
        """Count a failure; returns how many runs in a row failed so."""
        self.runs = (self.runs if failure == self.failure else set()) | {signature}
        self.failure = failure
        return len(self.runs)

    def end(self) -> None:
        self.failure, self.runs = "", set()


class Dispatch:
    """What a grid and a study hand their runs to. `watchdog` seconds without progress, by `clock`, are a hang.

    In time every run submitted is told as Ended, unless all are stopped before it is started again. `gave_up` says why
    no run is started any more, once `stop_after` different runs in a row have failed alike.
    """

    def __init__(
        self,
        store: RunStore,
        executor: Executor,
        watchdog: float = WATCHDOG_SECONDS,
        stop_after: int = STOP_AFTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.executor = executor
        self.watchdog = watchdog
        self.stop_after = stop_after
        self.clock = clock
        self.monitor = ClaimMonitor(clock)
        self.runs: dict[str, RunInFlight] = {}
        self.streak = FailureStreak()
        self.first, self.last = 0.0, 0.0  # places in the queue that were given out
        self.looked = float("-inf")
        self.stopping = False
        self.gave_up: str | None = None

    def free(self) -> int:
        """How many more runs would train at once if submitted now. A run that is tried again later keeps its slot."""
        return self.executor.slots - sum(run.phase is not Phase.ELSEWHERE for run in self.runs.values())

    def idle(self) -> bool:
        """Whether nothing is left to happen."""
        return not self.runs

    def submit(self, signature: str, until: int | None = None) -> None:
        """Train a run up to epoch `until`, where it is left as stopped; None: to its end."""
        with suppress(OSError):  # on a read-only disk the run ends by itself
            self.store.folder(signature).stop_request.unlink(missing_ok=True)
        self.runs[signature] = RunInFlight(signature, until)
        self._queue_last(self.runs[signature])

    def stop(self) -> None:
        """Let every run end after its epoch in flight, and start no other."""
        self.stopping = True
        self.runs = {run.signature: run for run in self._in(Phase.RUNNING)}
        for signature in self.runs:
            self.stop_run(signature)

    def stop_run(self, signature: str) -> None:
        """Let one run end after its epoch in flight; it is then stopped."""
        with suppress(OSError):  # on a full disk the run ends by itself
            self.store.folder(signature).stop_request.touch()

    def advance(self, timeout: float) -> list[RunEvent]:
        """Start what can be started and say what happened within `timeout` seconds."""
        if self.clock() - self.looked >= LOOK_SECONDS:
            self._look()
        happened = self._start()
        told = [self._take(event) for event in self.executor.events(timeout)]
        return happened + [event for event in told if event is not None]

    def _in(self, phase: Phase) -> list[RunInFlight]:
        return [run for run in self.runs.values() if run.phase is phase]

    def _queue_last(self, run: RunInFlight) -> None:
        self.last += 1
        run.queue(self.last)

    def _look(self) -> None:
        """See what hangs, what is due again, and what became of runs that others train."""
        self.looked = now = self.clock()
        for run in self._in(Phase.RUNNING):
            self._look_at(run, now)
        for run in self._in(Phase.BACKOFF):
            if run.due <= now:
                self.first -= 1
                run.queue(self.first)
        for run in self._in(Phase.ELSEWHERE):
            if not self.monitor.holder(self.store.folder(run.signature)):
                self._queue_last(run)

    def _look_at(self, run: RunInFlight, now: float) -> None:
        """End a run's worker where its progress stands still; one that has not begun waits for its turn somewhere."""
        if now - run.heard < self.watchdog or run.hung:
            return
        folder = self.store.folder(run.signature)
        shown = folder.progress.stat().st_mtime_ns if folder.progress.exists() else run.shown
        if shown != run.shown or folder.read_state().state != RunState.RUNNING:
            run.shown, run.heard = shown, now
            return
        run.hung = True
        self.executor.kill(run.signature)

    def _start(self) -> list[RunEvent]:
        """Start queued runs while a slot is idle; those that others train or have trained need none."""
        happened: list[RunEvent] = []
        queued = sorted(self._in(Phase.QUEUED), key=lambda run: run.place)
        while queued and self.executor.busy() < self.executor.slots:
            run = queued.pop(0)
            folder = self.store.folder(run.signature)
            if holder := self.monitor.holder(folder):
                happened.append(self._wait_for(run, holder))
            elif (state := folder.read_state()).is_settled:
                happened.append(self._end(run, state.state))
            else:
                run.start(self.clock())
                self.executor.submit(folder.path, run.until)
                happened.append(Started(run.signature))
        return happened

    def _end(self, run: RunInFlight, state: RunState) -> Ended:
        self.runs.pop(run.signature, None)
        return Ended(run.signature, state)

    def _end_as_it_is(self, run: RunInFlight) -> Ended:
        return self._end(run, self.store.folder(run.signature).read_state().state)

    def _wait_for(self, run: RunInFlight, holder: Holder | None) -> RunEvent:
        if self.stopping:
            return self._end_as_it_is(run)
        run.leave_to_another()
        self.runs[run.signature] = run
        return Retrying(run.signature, f"trained by {holder or 'another process'}; waiting for it")

    def _take(self, event: ExecutorEvent) -> RunEvent | None:
        if isinstance(event, Progressed):
            known = self.runs.get(event.signature)
            if known is None or known.phase is not Phase.RUNNING:
                return None
            known.heard = self.clock()
            return event
        run = self.runs.pop(event.signature)  # until it is known what becomes of it
        if isinstance(event, Lost):
            return self._lost(run, event.how)
        if event.state == RunState.RUNNING:
            return self._wait_for(run, self.monitor.holder(self.store.folder(run.signature)))
        if event.state.has_result:
            self.streak.end()
        return self._ended(run, event.state)

    def _ended(self, run: RunInFlight, outcome: RunState) -> RunEvent:
        """Told by a worker: final, unless it failed or was stopped in a way that deserves another try."""
        state = self.store.folder(run.signature).read_state()
        reason = state.reason or outcome
        if outcome == RunState.STOPPED and state.transient:
            return self._try_again(run, "its worker was asked to end", waits=True)
        if outcome == RunState.FAILED and state.trace:
            if state.quarantined or not state.transient:
                self._count(run, state.trace, reason)
            if not state.quarantined:
                return self._try_again(run, reason, waits=state.transient)
        return self._end(run, outcome)

    def _lost(self, run: RunInFlight, how: str) -> RunEvent:
        """A run whose worker is gone. One that hung twice at the same place is quarantined."""
        if not run.hung:
            self._record(run, state=RunState.STOPPED, reason=how)
            return self._try_again(run, how, waits=True)
        state = self.store.folder(run.signature).read_state()
        words = f"no progress for {self.watchdog:.0f} s after epoch {state.epoch}; its worker was ended"
        if state.hung == state.epoch:
            reason = f"{words}, for the second time there"
            self._record(run, state=RunState.FAILED, reason=reason, quarantined=True)
            self._count(run, "hung", words)
            return self._end(run, RunState.FAILED)
        self._record(run, state=RunState.STOPPED, reason=words, hung=state.epoch)
        return self._try_again(run, words, waits=False)

    def _try_again(self, run: RunInFlight, words: str, waits: bool) -> RunEvent:
        """Queue the run once more, after a while if it `waits`; given up after ATTEMPTS tries without progress."""
        count = run.count_try(self.store.folder(run.signature).read_state().epoch)
        if self.stopping:
            return self._end_as_it_is(run)
        if count >= ATTEMPTS:
            self._record(run, state=RunState.FAILED, reason=words, transient=True)
            self._count(run, words, words)
            return self._end(run, RunState.FAILED)
        delay = delay_before(run.signature, count) if waits else 0.0
        run.back_off(self.clock() + delay)
        self.runs[run.signature] = run
        when = f"again in {delay:.0f} s" if waits else "once more"
        return Retrying(run.signature, f"{words}; {when} from its last checkpoint")

    def _count(self, run: RunInFlight, failure: str, words: str) -> None:
        """Count different runs in a row that failed alike, and give up after `stop_after` of them."""
        if self.streak.add(run.signature, failure) >= self.stop_after and not self.stopping:
            line = words.splitlines()[0] if words else "no reason given"
            self.gave_up = f"stopped: {self.stop_after} different runs in a row failed alike: {line}"
            self.stop()

    def _record(self, run: RunInFlight, **changes: Unpack[StateChanges]) -> None:
        """Write what only this process knows of a run, unless another has it by now."""
        folder = self.store.folder(run.signature)
        with suppress(OSError), claim(folder) as mine:  # on a full disk the next launch settles the run
            if mine:
                set_state(folder, **changes)
