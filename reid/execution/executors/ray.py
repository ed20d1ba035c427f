"""The Ray executor: runs as tasks of a Ray cluster, which retries those whose worker or node is lost.

Every node sees the output folder under one path and has the same reid installed. The folder tells how a run goes.
"""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid.errors import InputError, missing_extra
from reid.execution.events import Ended, ExecutorEvent, Lost
from reid.execution.executors.remote import Follower, RunRequest, carry_out, first_line
from reid.store.fingerprint import training_code

LOST_ATTEMPTS = 3  # nodes or workers that Ray may lose under a run before the run is told as lost
CONNECT_SECONDS = 5.0
JOINING_SECONDS = 20.0  # nodes of a cluster that was only just started may still be on their way
ENDING_SECONDS = 10.0


@dataclass(frozen=True)
class ResourceRequest:
    """What a run takes of a node: a number of CPUs, and of GPUs where there are any (0.5: two runs share one)."""

    gpus: float = 1.0
    cpus: int = 1


@dataclass
class Task:
    """A run that Ray has, and its folder seen from here."""

    run: Path
    follower: Follower


class RayExecutor:
    """An Executor on the Ray cluster at `address` ("host:port" or "auto"), or on one of its own on this machine.

    `slots` limits how many runs train at a time; None: as many as the cluster has room for. Raises InputError where
    Ray is not installed, no cluster answers, or it has no room for a run.
    """

    def __init__(
        self,
        address: str | None,
        device: str,
        slots: int | None,
        share: ResourceRequest,
        cache: Path,
        skip_unreadable: bool,
    ) -> None:
        self.ray = _import_ray(own=address is None)
        self.limit = slots
        self.share = share
        self.cache = cache.resolve()
        self.skip_unreadable = skip_unreadable
        self.tasks: dict[Any, Task] = {}
        _connect(self.ray, address)
        self.device = _choose_device(device, self.ray.cluster_resources().get("GPU", 0))
        self.train = self.ray.remote(carry_out).options(
            num_cpus=share.cpus, num_gpus=share.gpus if self.device == "cuda" else 0, max_retries=LOST_ATTEMPTS - 1
        )
        if self.slots < 1:
            cpus = self.ray.cluster_resources().get("CPU", 0)
            self.ray.shutdown()
            raise InputError(
                f"--executor ray: the cluster has {cpus:.0f} CPUs, too few for a run of {share.cpus}; "
                "add nodes or lower --cpus-per-run"
            )

    @property
    def slots(self) -> int:
        """Changes as nodes come and go."""
        room = self.ray.cluster_resources()
        fit = int(room.get("CPU", 0) / self.share.cpus)
        if self.device == "cuda":
            fit = min(fit, int(room.get("GPU", 0) / self.share.gpus))
        return fit if self.limit is None else min(fit, self.limit)

    def __enter__(self) -> "RayExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        for reference in self.tasks:
            self.ray.cancel(reference, force=True)
        if self.tasks:
            self.ray.wait(list(self.tasks), num_returns=len(self.tasks), timeout=ENDING_SECONDS)
        self.ray.shutdown()

    def busy(self) -> int:
        return len(self.tasks)

    def submit(self, run: Path, until: int | None) -> None:
        run = run.resolve()
        request = RunRequest(
            run, until, self.cache, self.device, self.skip_unreadable, threads=self.share.cpus, code=training_code()
        )
        self.tasks[self.train.remote(request)] = Task(run, Follower(run))

    def kill(self, signature: str) -> None:
        for reference, task in self.tasks.items():
            if task.run.name == signature:
                self.ray.cancel(reference, force=True)

    def events(self, timeout: float) -> Iterator[ExecutorEvent]:
        if not self.tasks:
            time.sleep(timeout)
            return
        ended, _ = self.ray.wait(list(self.tasks), timeout=timeout)
        for reference, task in list(self.tasks.items()):
            if progressed := task.follower.progress():
                yield progressed
            if reference in ended:
                del self.tasks[reference]
                yield self._outcome(reference, task)

    def _outcome(self, reference: Any, task: Task) -> ExecutorEvent:
        """How a task ended. What is wrong with a node, and so with all its runs, is raised as InputError."""
        try:
            return Ended(task.run.name, self.ray.get(reference))
        except InputError as error:
            raise InputError(str(error.args[0])) from error
        except self.ray.exceptions.RayError as error:
            return Lost(task.run.name, f"lost by Ray: {type(error).__name__} {first_line(error)}".strip())


def _import_ray(own: bool) -> Any:
    """Ray, which reads these variables when it is imported. A cluster of our `own` takes this user's token only."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if own:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
    except ImportError as error:
        raise InputError(missing_extra("--executor ray: Ray is not installed", "ray")) from error
    return ray


def _connect(ray: Any, address: str | None) -> None:
    """Join the cluster at `address`, or start one on this machine."""
    if address is None:
        ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        return
    try:
        if address != "auto":
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()  # Ray itself tries for minutes
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise InputError(
            f"--address {address}: no Ray cluster answers there ({first_line(error)}); "
            "give HOST:PORT of its head, and its token in RAY_AUTH_TOKEN if it has one"
        ) from error
    waits_until = time.monotonic() + JOINING_SECONDS
    while not ray.cluster_resources().get("CPU") and time.monotonic() < waits_until:
        time.sleep(0.5)


def _choose_device(device: str, gpus: float) -> str:
    """ "cpu" or "cuda", by what was asked for and the number of GPUs in the cluster."""
    if device == "cuda" and gpus == 0:
        raise InputError("--device cuda: the Ray cluster has no GPU; use --device cpu")
    return "cuda" if device != "cpu" and gpus > 0 else "cpu"
