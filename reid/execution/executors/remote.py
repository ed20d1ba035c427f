"""A run on another machine: the order it is trained by, and how it is followed from here through its folder."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from reid.errors import InputError
from reid.execution.worker import Worker
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder


@dataclass(frozen=True)
class Order:
    """What a machine is told to train, with absolute paths; `code` is the training code of whoever tells it."""

    run: Path
    until: int | None
    cache: Path
    device: str
    skip_unreadable: bool
    threads: int
    code: str


def carry_out(order: Order, stopping: Callable[[], bool] = lambda: False) -> str:
    """Train the run of an order on this machine; returns its state, "running" where another process has it.

    Raises InputError where this machine does not see the run's folder, or has another version of the training code.
    """
    host = socket.gethostname()
    folder = RunFolder(order.run)
    if folder.read("run") is None:
        raise InputError(f"{order.run}: not there on {host}; the output folder must have one path on every machine")
    if training_code() != order.code:
        raise InputError(
            f"{host}: its reid trains with other code ({training_code()}) than the one that launched the grid "
            f"({order.code}); install the same version on every machine"
        )
    torch.set_num_threads(order.threads)
    worker = _worker(order.cache, order.device, order.skip_unreadable)
    return worker.execute(order.run, lambda _: None, stopping, order.until)


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
        self.told = self.folder.read("progress")

    def progress(self) -> dict[str, Any] | None:
        """The numbers of progress.json if they changed since they were last told, else None."""
        now: dict[str, Any] | None = self.folder.read("progress")
        if now == self.told:
            return None
        self.told = now
        return now
