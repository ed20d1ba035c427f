"""A run on another machine: the request it is trained by, and how it is followed from here through its folder."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from reid.errors import InputError
from reid.execution.events import Progressed
from reid.execution.worker import Worker
from reid.registry import activate
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState


@dataclass(frozen=True)
class RunRequest:
    """What a machine is told to train, with absolute paths; `code` is the training code of whoever tells it."""

    run: Path
    until: int | None
    cache: Path
    device: str
    skip_unreadable: bool
    threads: int
    code: str


def carry_out(request: RunRequest, stopping: Callable[[], bool] = lambda: False) -> RunState:
    """Train the run of a request on this machine; returns its state, "running" where another process has it.

    Raises InputError where this machine does not see the run's folder or a plugin of the run, or has another version of
    the training code.
    """
    host = socket.gethostname()
    folder = RunFolder(request.run)
    if (state := folder.read_state().state) == RunState.UNREADABLE:
        return state
    asked = folder.read_run()
    if asked is None:
        raise InputError(f"{request.run}: not there on {host}; the output folder must have one path on every machine")
    activate(asked.plugins)
    if training_code() != request.code:
        raise InputError(
            f"{host}: its reid trains with other code ({training_code()}) than the one that launched the grid "
            f"({request.code}); install the same version on every machine"
        )
    torch.set_num_threads(request.threads)
    worker = _worker(request.cache, request.device, request.skip_unreadable)
    return worker.execute(request.run, lambda *_: None, stopping, request.until)


@cache
def _worker(cache: Path, device: str, skip_unreadable: bool) -> Worker:
    """The worker of this process: it keeps data sets open from run to run."""
    return Worker(cache, torch.device(device), skip_unreadable)


def first_line(words: object) -> str:
    """The first line of what an error says; empty where it says nothing."""
    return str(words).strip().partition("\n")[0]


class Follower:
    """What the folder of a run that trains elsewhere says of its progress."""

    def __init__(self, run: Path) -> None:
        self.folder = RunFolder(run)
        self.told = self.folder.read_progress()

    def progress(self) -> Progressed | None:
        """What progress.json says if it changed since it was last told, else None."""
        before, now = self.told, self.folder.read_progress()
        if now is None or now == before:
            return None
        self.told = now
        return Progressed(self.folder.signature, now, evaluated=now.scores != (before.scores if before else None))
