"""Trains runs on an executor, each until it has an outcome, whatever happens to its workers.

What is retried and what is held: docs/decisions/0015.
"""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reid.execution.executors.base import Executor, Message
from reid.execution.failures import ATTEMPTS, delay_before
from reid.store.claim import Holder, Watch, claim
from reid.store.run_records import ENDED
from reid.store.run_store import Ledger, set_state

WATCHDOG_SECONDS = 3600.0  # a run that shows no progress for so long hangs
STOP_AFTER = 5  # different runs in a row that fail alike: what is wrong is not the runs
LOOK_SECONDS = 1.0  # between looks at runs that other processes train


@dataclass(frozen=True)
class Happened:
    """What became of a run: kind "started", "progress" with numbers, "retry" with why, or "ended" with a state.

    Runs that another process trains, or that wait, are told as "retry". In time every run submitted is told as "ended",
    unless all are stopped before it is started again.
    """

    kind: str
    signature: str
    content: Any = None


@dataclass
class Flight:
    """A run that the executor has: up to which epoch, when it last showed progress, whether it was ended as hung."""

    until: int | None
    heard: float
    shown: int = 0
    hung: bool = False


class Dispatch:
    """What a grid and a study hand their runs to. `watchdog` seconds without progress, by `clock`, are a hang.

    `gave_up` says why no run is started any more, once `stop_after` different runs in a row have failed alike.
    """

    def __init__(
        self,
        ledger: Ledger,
        executor: Executor,
        watchdog: float = WATCHDOG_SECONDS,
        stop_after: int = STOP_AFTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = ledger
        self.executor = executor
        self.watchdog = watchdog
        self.stop_after = stop_after
        self.clock = clock
        self.watch = Watch(clock)
        self.queue: deque[tuple[str, int | None]] = deque()
        self.running: dict[str, Flight] = {}
        self.later: dict[str, tuple[int | None, float]] = {}  # what waits to be tried again, and until when
        self.elsewhere: dict[str, int | None] = {}  # what another process trains
        self.tries: dict[str, tuple[int, int]] = {}  # retries since the run was last seen at this epoch
        self.alike: tuple[str, set[str]] = "", set()  # what failed last, and the runs in a row that failed so
        self.looked = float("-inf")
        self.stopping = False
        self.gave_up: str | None = None

    def free(self) -> int:
        """How many more runs would train at once if submitted now. A run that is tried again later keeps its slot."""
        return self.executor.slots - len(self.running) - len(self.queue) - len(self.later)

    def idle(self) -> bool:
        """Whether nothing is left to happen."""
        return not (self.running or self.queue or self.later or self.elsewhere)

    def submit(self, signature: str, until: int | None = None) -> None:
        """Train a run up to epoch `until`, where it is left as stopped; None: to its end."""
        with suppress(OSError):  # on a read-only disk the run ends by itself
            self.ledger.folder(signature).stop_request.unlink(missing_ok=True)
        self.queue.append((signature, until))

    def stop(self) -> None:
        """Let every run end after its epoch in flight, and start no other."""
        self.stopping = True
        self.queue.clear()
        self.later.clear()
        self.elsewhere.clear()
        for signature in self.running:
            self.stop_run(signature)

    def stop_run(self, signature: str) -> None:
        """Let one run end after its epoch in flight; it is then stopped."""
        with suppress(OSError):  # on a full disk the run ends by itself
            self.ledger.folder(signature).stop_request.touch()

    def advance(self, timeout: float) -> list[Happened]:
        """Start what can be started and say what happened within `timeout` seconds."""
        if self.clock() - self.looked >= LOOK_SECONDS:
            self._look()
        happened = self._start()
        told = [self._take(message) for message in self.executor.messages(timeout)]
        return happened + [what for what in told if what is not None]

    def _look(self) -> None:
        """See what hangs, what is due again, and what became of runs that others train."""
        self.looked = now = self.clock()
        for signature, flight in self.running.items():
            self._look_at(signature, flight, now)
        for signature in [signature for signature, (_, due) in self.later.items() if due <= now]:
            self.queue.appendleft((signature, self.later.pop(signature)[0]))
        left = [signature for signature in self.elsewhere if not self.watch.holder(self.ledger.folder(signature))]
        for signature in left:
            self.queue.append((signature, self.elsewhere.pop(signature)))

    def _look_at(self, signature: str, flight: Flight, now: float) -> None:
        """End a run's worker where its progress stands still; one that has not begun waits for its turn somewhere."""
        if now - flight.heard < self.watchdog or flight.hung:
            return
        folder = self.ledger.folder(signature)
        shown = folder.progress.stat().st_mtime_ns if folder.progress.exists() else flight.shown
        if shown != flight.shown or folder.state() != "running":
            flight.shown, flight.heard = shown, now
            return
        flight.hung = True
        self.executor.kill(signature)

    def _start(self) -> list[Happened]:
        """Start queued runs while a slot is idle; those that others train or have trained need none."""
        happened = []
        while self.queue and self.executor.busy() < self.executor.slots:
            signature, until = self.queue.popleft()
            folder = self.ledger.folder(signature)
            if holder := self.watch.holder(folder):
                happened.append(self._wait_for(signature, until, holder))
            elif self.ledger.is_over(signature):
                happened.append(Happened("ended", signature, folder.state()))
            else:
                self.running[signature] = Flight(until, self.clock())
                self.executor.submit(folder.path, until)
                happened.append(Happened("started", signature))
        return happened

    def _wait_for(self, signature: str, until: int | None, holder: Holder | None) -> Happened:
        if self.stopping:
            return Happened("ended", signature, self.ledger.folder(signature).state())
        self.elsewhere[signature] = until
        return Happened("retry", signature, f"trained by {holder or 'another process'}; waiting for it")

    def _take(self, message: Message) -> Happened | None:
        signature = message.signature
        if message.kind == "progress":
            if (flight := self.running.get(signature)) is None:
                return None
            flight.heard = self.clock()
            return Happened("progress", signature, message.content)
        flight = self.running.pop(signature)
        if message.kind == "lost":
            return self._lost(signature, flight, message.content)
        if message.content == "running":
            return self._wait_for(signature, flight.until, self.watch.holder(self.ledger.folder(signature)))
        if message.content in ENDED:
            self.alike = "", set()
            self.tries.pop(signature, None)
        return self._ended(signature, flight.until, message.content)

    def _ended(self, signature: str, until: int | None, outcome: str) -> Happened:
        """Told by a worker: final, unless it failed or was stopped in a way that deserves another try."""
        state = self.ledger.folder(signature).read("state") or {}
        reason = state.get("reason") or outcome
        if outcome == "stopped" and state.get("transient"):
            return self._try_again(signature, until, "its worker was asked to end", waits=True)
        if outcome == "failed" and state.get("trace") and not state["held"]:
            if not state["transient"]:
                self._count(signature, state["trace"], reason)
            return self._try_again(signature, until, reason, waits=state["transient"])
        if outcome == "failed" and state.get("trace"):
            self._count(signature, state["trace"], reason)
        return Happened("ended", signature, outcome)

    def _lost(self, signature: str, flight: Flight, how: str) -> Happened:
        """A run whose worker is gone. One that hung twice at the same place is held."""
        if not flight.hung:
            self._record(signature, state="stopped", reason=how)
            return self._try_again(signature, flight.until, how, waits=True)
        state = self.ledger.folder(signature).read("state") or {}
        epoch = state.get("epoch", 0)
        words = f"no progress for {self.watchdog:.0f} s after epoch {epoch}; its worker was ended"
        if state.get("hung") == epoch:
            self._record(signature, state="failed", reason=f"{words}, for the second time there", held=True)
            self._count(signature, "hung", words)
            return Happened("ended", signature, "failed")
        self._record(signature, state="stopped", reason=words, hung=epoch)
        return self._try_again(signature, flight.until, words, waits=False)

    def _try_again(self, signature: str, until: int | None, words: str, waits: bool) -> Happened:
        """Queue the run once more, after a while if it `waits`; given up after ATTEMPTS tries without progress."""
        epoch = (self.ledger.folder(signature).read("state") or {}).get("epoch", 0)
        before, count = self.tries.get(signature, (epoch, 0))
        count = count + 1 if epoch == before else 1
        self.tries[signature] = epoch, count
        if self.stopping:
            return Happened("ended", signature, self.ledger.folder(signature).state())
        if count >= ATTEMPTS:
            self._record(signature, state="failed", reason=words, transient=True)
            self._count(signature, words, words)
            return Happened("ended", signature, "failed")
        delay = delay_before(signature, count) if waits else 0.0
        self.later[signature] = until, self.clock() + delay
        when = f"again in {delay:.0f} s" if waits else "once more"
        return Happened("retry", signature, f"{words}; {when} from its last checkpoint")

    def _count(self, signature: str, failure: str, words: str) -> None:
        """Count different runs in a row that failed alike, and give up after `stop_after` of them."""
        before, runs = self.alike
        self.alike = failure, (runs if failure == before else set()) | {signature}
        if len(self.alike[1]) >= self.stop_after and not self.stopping:
            line = words.splitlines()[0] if words else "no reason given"
            self.gave_up = f"stopped: {self.stop_after} different runs in a row failed alike: {line}"
            self.stop()

    def _record(self, signature: str, **changes: Any) -> None:
        """Write what only this process knows of a run, unless another has it by now."""
        folder = self.ledger.folder(signature)
        with suppress(OSError), claim(folder) as mine:  # on a full disk the next launch settles the run
            if mine:
                set_state(folder, **changes)
