"""An executor and a clock for tests of who is trained when: runs that write their folders and train nothing."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from reid.execution.events import Ended, ExecutorEvent, Lost
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import set_state
from tests.helpers.records import evaluation


class Clock:
    """Seconds, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


Script = Callable[[RunFolder], ExecutorEvent]


def finish(folder: RunFolder) -> ExecutorEvent:
    """Train it to its end."""
    with claim(folder) as mine:
        if mine is None:
            return Ended(folder.signature, RunState.RUNNING)
        set_state(folder, durable=False, state=RunState.RUNNING, quarantined=False, transient=False, pid=os.getpid())
        folder.write_evaluations([evaluation(1, 0.5)])
        set_state(folder, state=RunState.FINISHED, epoch=1, seconds=1.0)
    return Ended(folder.signature, RunState.FINISHED)


def fail(trace: str, transient: bool = False, reason: str | None = None) -> Script:
    """Raise, with that trace; quarantined as a worker does it."""

    def script(folder: RunFolder) -> ExecutorEvent:
        before = folder.read_state()
        set_state(
            folder,
            state=RunState.FAILED,
            attempts=before.attempts + 1,
            trace=trace,
            transient=transient,
            quarantined=not transient and before.trace == trace,
            reason=reason or f"Error: {trace}",
        )
        return Ended(folder.signature, RunState.FAILED)

    return script


def lose(folder: RunFolder) -> ExecutorEvent:
    set_state(folder, state=RunState.RUNNING)
    return Lost(folder.signature, "worker killed by SIGKILL")


class FolderExecutor:
    """Does at the next look at its messages what the script of a run says; a run without one does as all `others`."""

    def __init__(self, slots: int = 2, scripts: dict[str, list[Script]] | None = None, others: Script = finish) -> None:
        self.slots = slots
        self.others = others
        self.scripts = scripts or {}
        self.runs: dict[str, RunFolder] = {}
        self.started: list[str] = []
        self.hangs: dict[str, int] = {}  # how many attempts of a run hang in their fifth epoch
        self.hanging: set[str] = set()
        self.killed: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def busy(self) -> int:
        return len(self.runs)

    def submit(self, run: Path, until: int | None) -> None:  # noqa: ARG002 - the protocol's
        assert len(self.runs) < self.slots
        self.started.append(run.name)
        self.runs[run.name] = RunFolder(run)
        if self.hangs.get(run.name):
            self.hangs[run.name] -= 1
            self.hanging.add(run.name)
            set_state(RunFolder(run), state=RunState.RUNNING, epoch=4)

    def events(self, timeout: float) -> Iterator[ExecutorEvent]:  # noqa: ARG002 - the protocol's
        for signature in [signature for signature in self.runs if signature not in self.hanging]:
            folder = self.runs.pop(signature)
            scripts = self.scripts.get(signature)
            yield (scripts.pop(0) if scripts else self.others)(folder)

    def kill(self, signature: str) -> None:
        self.killed.append(signature)
        self.hanging.discard(signature)
        self.scripts.setdefault(signature, []).insert(0, lose)
