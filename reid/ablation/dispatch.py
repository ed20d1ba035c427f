"""Trains runs on an executor, each until it has an outcome, whatever happens to its workers."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from reid.ablation.executor import Executor, Message
from reid.ablation.ledger import Ledger, claim, set_state

LOST_ATTEMPTS = 3  # a run whose worker was killed is given this many workers in one launch


@dataclass(frozen=True)
class Happened:
    """What became of a run: kind "started", "progress" with numbers, "retry" with why, or "ended" with a state."""

    kind: str
    signature: str
    content: Any = None


class Dispatch:
    """What a grid and a study hand their runs to."""

    def __init__(self, ledger: Ledger, executor: Executor) -> None:
        self.ledger = ledger
        self.executor = executor
        self.queue: deque[tuple[str, int | None]] = deque()
        self.running: dict[str, int | None] = {}
        self.lost: Counter[str] = Counter()
        self.stopping = False

    def free(self) -> int:
        """How many more runs would train at once if submitted now."""
        return self.executor.slots - len(self.running) - len(self.queue)

    def idle(self) -> bool:
        """Whether nothing is left to happen."""
        return not self.running and not self.queue

    def submit(self, signature: str, until: int | None = None) -> None:
        """Train a run up to epoch `until`, where it is left as stopped; None: to its end."""
        self.ledger.folder(signature).stop_request.unlink(missing_ok=True)
        self.queue.append((signature, until))

    def stop(self) -> None:
        """Let every run end after its epoch in flight, and start no other."""
        self.stopping = True
        self.queue.clear()
        for signature in self.running:
            self.stop_run(signature)

    def stop_run(self, signature: str) -> None:
        """Let one run end after its epoch in flight; it is then stopped."""
        self.ledger.folder(signature).stop_request.touch()

    def advance(self, timeout: float) -> list[Happened]:
        """Start what can be started and say what happened within `timeout` seconds."""
        happened = []
        while self.queue and self.executor.busy() < self.executor.slots:
            signature, until = self.queue.popleft()
            self.running[signature] = until
            self.executor.submit(self.ledger.folder(signature).path, until)
            happened.append(Happened("started", signature))
        return happened + [self._take(message) for message in self.executor.messages(timeout)]

    def _take(self, message: Message) -> Happened:
        signature = message.signature
        if message.kind == "progress":
            return Happened("progress", signature, message.content)
        until = self.running.pop(signature)
        if message.kind == "ended":
            return Happened("ended", signature, message.content)
        self.lost[signature] += 1
        if self.lost[signature] < LOST_ATTEMPTS and not self.stopping:
            self.queue.appendleft((signature, until))
            return Happened("retry", signature, f"{message.content}; going on from its checkpoint")
        state = "stopped" if self.stopping else "failed"
        folder = self.ledger.folder(signature)
        with claim(folder) as mine:
            if mine:
                set_state(folder, state=state, reason=message.content)
        return Happened("ended", signature, state)
