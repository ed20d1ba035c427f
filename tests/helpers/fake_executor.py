"""An executor and a clock for tests of who is trained when: runs that write their folders and train nothing."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reid.execution.executors.base import Message
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_store import set_state


class Clock:
    """Seconds, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


Script = Callable[[RunFolder], Message]


def finish(folder: RunFolder) -> Message:
    """Train it to its end."""
    with claim(folder) as mine:
        if mine is None:
            return Message("ended", folder.signature, "running")
        set_state(folder, durable=False, state="running", held=False, transient=False, pid=os.getpid())
        folder.write("evaluations", [{"epoch": 1, "mAP": 0.5}])
        set_state(folder, state="finished", epoch=1, seconds=1.0)
    return Message("ended", folder.signature, "finished")


def fail(trace: str, transient: bool = False, **more: Any) -> Script:
    """Raise, with that trace; held as a worker holds it."""

    def script(folder: RunFolder) -> Message:
        before = folder.read("state") or {}
        held = not transient and before.get("trace") == trace
        about = {"trace": trace, "transient": transient, "held": held, "reason": f"Error: {trace}", **more}
        set_state(folder, state="failed", attempts=before.get("attempts", 0) + 1, **about)
        return Message("ended", folder.signature, "failed")

    return script


def lose(folder: RunFolder) -> Message:
    set_state(folder, state="running")
    return Message("lost", folder.signature, "worker killed by SIGKILL")


class FolderExecutor:
    """Does at the next look at its messages what the script of a run says; a run without one finishes."""

    def __init__(self, slots: int = 2, scripts: dict[str, list[Script]] | None = None) -> None:
        self.slots = slots
        self.scripts = scripts or {}
        self.runs: dict[str, RunFolder] = {}
        self.started: list[str] = []
        self.hangs: dict[str, int] = {}  # how many attempts of a run hang in their fifth epoch
        self.hanging: set[str] = set()
        self.killed: list[str] = []

    def __enter__(self) -> "FolderExecutor":
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
            set_state(RunFolder(run), state="running", epoch=4)

    def messages(self, timeout: float) -> Iterator[Message]:  # noqa: ARG002 - the protocol's
        for signature in [signature for signature in self.runs if signature not in self.hanging]:
            folder = self.runs.pop(signature)
            scripts = self.scripts.get(signature)
            yield (scripts.pop(0) if scripts else finish)(folder)

    def kill(self, signature: str) -> None:
        self.killed.append(signature)
        self.hanging.discard(signature)
        self.scripts.setdefault(signature, []).insert(0, lose)
