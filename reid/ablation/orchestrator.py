"""Trains a plan's runs on an executor until every one has its outcome."""

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reid.ablation.executor import LocalExecutor, Message
from reid.ablation.ledger import Ledger, claim, set_state

LOST_ATTEMPTS = 3  # a run whose worker was killed is given this many workers in one launch


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
    """Feeds the runs that are not over to an executor.

    `changed` is called with a run folder to project, `show` with the board.
    """

    def __init__(
        self,
        board: Board,
        ledger: Ledger,
        executor: LocalExecutor,
        changed: Callable[[Path], None],
        show: Callable[[Board, RunStatus | None], None],
    ) -> None:
        self.board = board
        self.ledger = ledger
        self.executor = executor
        self.changed = changed
        self.show = show
        self.pending = deque(run.signature for run in board.runs.values() if not ledger.is_over(run.signature))
        self.lost: Counter[str] = Counter()
        self.interrupts = 0

    def run(self) -> Counter[str]:
        """Train until nothing is pending and no slot is busy; returns the number of runs by state.

        The first Ctrl-C or SIGTERM lets every worker finish its epoch and stops; the second ends them at once. Both
        leave a grid that the same command continues.
        """
        handlers = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while self.interrupts < 2 and (self.executor.busy() or (self.pending and not self.interrupts)):
                self._advance()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return self.board.counts()

    def _interrupt(self, *_: object) -> None:
        """A handler, as KeyboardInterrupt could fall between reading a message and acting on it."""
        self.interrupts += 1
        if self.interrupts == 1:
            self.board.notices.append("stopping after the epoch in flight; Ctrl-C again ends at once")
            self.executor.stop()

    def _advance(self) -> None:
        if not self.interrupts:
            for slot in self.executor.idle():
                if self.pending:
                    signature = self.pending.popleft()
                    run = self.board.runs[signature]
                    run.state, run.started = "running", time.monotonic()
                    self.executor.submit(slot, self.ledger.folder(signature).path)
                    self.changed(self.ledger.folder(signature).path)
                    self.show(self.board, run)
        messages: Iterable[Message] = self.executor.messages(timeout=0.25)
        for message in messages:
            self._take(message)
        self.show(self.board, None)

    def _take(self, message: Message) -> None:
        run = self.board.runs[message.signature]
        folder = self.ledger.folder(message.signature)
        match message.kind:
            case "progress":
                run.epoch = message.content["epoch"]
                if "mAP" in message.content:
                    run.mAP = message.content["mAP"]
                    self.changed(folder.path)
                return
            case "ended":
                run.state = message.content
                run.seconds = time.monotonic() - (run.started or time.monotonic())
            case "lost":
                self.lost[run.signature] += 1
                if self.lost[run.signature] < LOST_ATTEMPTS and not self.interrupts:
                    run.state = "planned"
                    self.pending.appendleft(run.signature)
                    self.board.notices.append(f"{run.arm} s{run.seed}: {message.content}; going on from its checkpoint")
                else:
                    run.state = "stopped" if self.interrupts else "failed"
                    with claim(folder) as mine:
                        if mine:
                            set_state(folder, state=run.state, reason=message.content)
        run.reason = (folder.read("state") or {}).get("reason")
        self.changed(folder.path)
        self.show(self.board, run)
