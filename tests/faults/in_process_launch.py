"""Trains a planned grid in one process, parent and worker: `python -m tests.faults.in_process_launch OUTPUT GRID`.

Everything is imported before the first fork, so that a process to be killed is there in no time and dies in its work,
not in its imports. A line on standard input starts one; its pid is printed, and "over" when it has ended.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from reid.execution.dispatch import Dispatch
from reid.execution.events import Ended, ExecutorEvent
from reid.execution.worker import Worker
from reid.grids.orchestrator import Orchestrator
from reid.grids.status import open_status
from reid.store.plan import read_plan
from reid.store.run_store import RunStore


class HereExecutor:
    """Trains the run it is given in this process when its messages are asked for."""

    slots = 1

    def __init__(self, cache: Path) -> None:
        self.worker = Worker(cache, torch.device("cpu"), skip_unreadable=False)
        self.run: Path | None = None

    def __enter__(self) -> "HereExecutor":
        return self

    def __exit__(self, *_: object) -> None: ...

    def busy(self) -> int:
        return int(self.run is not None)

    def submit(self, run: Path, until: int | None) -> None:  # noqa: ARG002 - the protocol's
        self.run = run

    def events(self, timeout: float) -> Iterator[ExecutorEvent]:  # noqa: ARG002 - the protocol's
        if self.run is not None:
            run, self.run = self.run, None
            yield Ended(run.name, self.worker.execute(run, lambda *_: None, lambda: False))

    def kill(self, signature: str) -> None:
        raise NotImplementedError(f"{signature} trains in the only process there is")


def train(output: Path, grid: str) -> None:
    run_store = RunStore.create(output)
    plan = read_plan(output / "grids" / grid).plan
    for run in plan.runs:
        run_store.settle(run.signature)
    dispatch = Dispatch(run_store, HereExecutor(output / "cache"))
    Orchestrator(plan, open_status(plan, run_store, 1), dispatch, lambda _: None, lambda *_: None).run()


def main() -> None:
    torch.set_num_threads(1)
    for _ in sys.stdin:
        if (child := os.fork()) == 0:
            train(Path(sys.argv[1]), sys.argv[2])
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("over", flush=True)


if __name__ == "__main__":
    main()
