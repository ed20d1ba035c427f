"""The local executor: warm worker processes of our own, each training one run after another.

A pool of the standard library loses every pending run when one worker is killed; ours loses that worker's run, which
goes on from its checkpoint in a fresh one. Workers are forked from a server that has imported what all of them need:
seconds of imports are paid once, whatever the number of workers and however often one is replaced.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from reid.execution.devices import usable_cores
from reid.execution.events import Ended, ExecutorEvent, Lost, Progressed
from reid.store.run_records import ProgressRecord, RunState

SERVER = multiprocessing.get_context(
    "forkserver"
)  # imports, and no more: a fork after CUDA is initialised is undefined
PRELOADED = ["reid.execution.worker", "reid.models.backbones.resnet"]


@dataclass
class Slot:
    """A place where one run trains at a time: a worker process and the run it has."""

    index: int
    device: str  # "cpu", or "cuda:" and what CUDA_VISIBLE_DEVICES calls it: a number or a UUID
    process: ForkServerProcess | None = None
    connection: "Connection[Any, Any] | None" = None
    run: Path | None = None


class LocalExecutor:
    """An Executor on this machine, with a worker process a slot; `devices` names the device of each."""

    def __init__(self, devices: list[str], cache: Path, skip_unreadable: bool) -> None:
        self.places = [Slot(index, device) for index, device in enumerate(devices)]
        self.cache = cache
        self.skip_unreadable = skip_unreadable
        self.threads = max(1, usable_cores() // len(devices))

    @property
    def slots(self) -> int:
        return len(self.places)

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in self.places:
            if slot.process is not None:
                slot.process.kill()
                slot.process.join()

    def busy(self) -> int:
        return len(self._busy())

    def submit(self, run: Path, until: int | None) -> None:
        """Train the run on an idle slot, starting its worker if it has none."""
        slot = next(slot for slot in self.places if slot.run is None)
        if slot.process is None or not slot.process.is_alive():
            self._start(slot)
        assert slot.connection is not None
        slot.run = run
        with suppress(OSError):  # it has just died, as its messages will tell
            slot.connection.send((run, until))

    def kill(self, signature: str) -> None:
        for slot in self._busy():
            if slot.run is not None and slot.run.name == signature and slot.process is not None:
                slot.process.kill()

    def events(self, timeout: float) -> Iterator[ExecutorEvent]:
        busy = {slot.connection: slot for slot in self._busy() if slot.connection is not None}
        for ready in wait(list(busy), timeout):
            assert isinstance(ready, Connection)
            slot = busy[ready]
            assert slot.run is not None
            signature = slot.run.name
            event: ExecutorEvent
            try:
                event, last = ready.recv()
                if last and slot.process is not None:
                    slot.process.kill()
                    self._bury(slot)
            except (EOFError, OSError):
                event = Lost(signature, self._bury(slot))
            if not isinstance(event, Progressed):
                slot.run = None
            yield event

    def _busy(self) -> list[Slot]:
        return [slot for slot in self.places if slot.run is not None]

    def _start(self, slot: Slot) -> None:
        SERVER.set_forkserver_preload(PRELOADED)
        ours, theirs = SERVER.Pipe()
        slot.process = SERVER.Process(
            target=_work,
            args=(theirs, self.cache, slot.device, self.skip_unreadable, self.threads, slot_name(slot)),
            daemon=True,
        )
        slot.process.start()
        theirs.close()
        slot.connection = ours

    def _bury(self, slot: Slot) -> str:
        assert slot.process is not None
        slot.process.join()
        code = slot.process.exitcode or 0
        slot.process = None
        return f"worker killed by {signal.Signals(-code).name}" if code < 0 else f"worker ended with exit code {code}"


def slot_name(slot: Slot) -> str:
    """What `reid status` calls a slot: its number, and its GPU."""
    return str(slot.index) + (f" GPU {slot.device.removeprefix('cuda:')}" if slot.device != "cpu" else "")


def take_place(device: str, threads: int) -> torch.device:
    """Keep this process to a slot's device and to so many threads; returns what PyTorch calls the device here."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # for libraries that are yet to be loaded
    threadpool_limits(threads)
    torch.set_num_threads(threads)
    if device == "cpu":
        return torch.device("cpu")
    os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")  # CUDA reads it when it is first used
    return torch.device("cuda")


def _work(
    connection: "Connection[Any, Any]", cache: Path, device: str, skip_unreadable: bool, threads: int, slot: str
) -> None:
    """A worker process: trains the runs it is sent until the pipe closes, SIGTERM asks it to stop, or one fails.

    It says (event, whether this is its last word). After a failure neither CUDA nor what is left in memory can be
    trusted with another run; and a folder that cannot be written cannot say so itself.
    """
    stopping = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the orchestrator decides
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    from reid.execution.worker import Worker

    worker = Worker(cache, take_place(device, threads), skip_unreadable, slot)
    last = False
    while not last:
        try:
            run, until = connection.recv()
        except EOFError:
            return
        signature = run.name

        def report(progress: ProgressRecord, evaluated: bool, signature: str = signature) -> None:
            connection.send((Progressed(signature, progress, evaluated), False))

        event: ExecutorEvent
        try:
            event = Ended(signature, worker.execute(run, report, stopping.is_set, until))
            last = event.state == RunState.FAILED or stopping.is_set()
        except OSError as error:
            event, last = Lost(signature, f"its folder cannot be written: {error.strerror or error}"), True
        connection.send((event, last))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
