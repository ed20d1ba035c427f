"""The local executor: warm worker processes of our own, each training one run after another.

A pool of the standard library loses every pending run when one worker is killed; ours loses that worker's run, which
goes on from its checkpoint in a fresh one.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch

from reid.ablation.executor import Message

SPAWN = multiprocessing.get_context("spawn")  # a fork after CUDA is initialised is undefined


@dataclass
class Slot:
    """A place where one run trains at a time: a worker process and the run it has."""

    index: int
    device: str
    process: SpawnProcess | None = None
    connection: "Connection[Any, Any] | None" = None
    run: Path | None = None


def plan_slots(device: str, slots: int | None) -> list[str]:
    """A device for every slot: `slots` a GPU (default 1) for "cuda", `slots` in all (default a core each) for "cpu"."""
    if device == "cpu":
        return ["cpu"] * (slots or usable_cores())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(torch.cuda.device_count())]
    return [f"cuda:{name}" for name in names for _ in range(slots or 1)]


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
        slot.connection.send((run, until))

    def kill(self, signature: str) -> None:
        for slot in self._busy():
            if slot.run is not None and slot.run.name == signature and slot.process is not None:
                slot.process.kill()

    def messages(self, timeout: float) -> Iterator[Message]:
        busy = {slot.connection: slot for slot in self._busy() if slot.connection is not None}
        for ready in wait(list(busy), timeout):
            assert isinstance(ready, Connection)
            slot = busy[ready]
            assert slot.run is not None
            signature = slot.run.name
            try:
                kind, content = ready.recv()
            except (EOFError, ConnectionResetError):
                kind, content = "lost", self._bury(slot)
            if kind != "progress":
                slot.run = None
            yield Message(kind, signature, content)

    def _busy(self) -> list[Slot]:
        return [slot for slot in self.places if slot.run is not None]

    def _start(self, slot: Slot) -> None:
        ours, theirs = SPAWN.Pipe()
        environment = {"OMP_NUM_THREADS": str(self.threads)}
        device = slot.device
        if device.startswith("cuda:"):
            environment["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
            device = "cuda"
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            slot.process = SPAWN.Process(
                target=_work, args=(theirs, self.cache, device, self.skip_unreadable, self.threads), daemon=True
            )
            slot.process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        theirs.close()
        slot.connection = ours

    def _bury(self, slot: Slot) -> str:
        assert slot.process is not None
        slot.process.join()
        code = slot.process.exitcode or 0
        slot.process = None
        return f"worker killed by {signal.Signals(-code).name}" if code < 0 else f"worker ended with exit code {code}"


def _work(connection: "Connection[Any, Any]", cache: Path, device: str, skip_unreadable: bool, threads: int) -> None:
    """A worker process: trains the runs it is sent until the pipe closes or SIGTERM asks it to stop."""
    stopping = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the orchestrator decides
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    from reid.ablation.execution import Worker

    worker = Worker(cache, torch.device(device), skip_unreadable)
    while not stopping.is_set():
        try:
            run, until = connection.recv()
        except EOFError:
            return
        state = worker.execute(run, lambda numbers: connection.send(("progress", numbers)), stopping.is_set, until)
        connection.send(("ended", state))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
