"""What 4,096 runs cost beside their training: `python -m benchmarks.ledger`.

A grid whose training is nothing is entered, launched on two real worker processes, interrupted half-way, launched again
and looked at. Prints milliseconds a run against the limit of 20, the memory of the launch, and how long a status takes.
MLflow is not part of it: it is told by a thread of its own, after the fact.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from reid.execution import worker as execution
from reid.execution.dispatch import Dispatch
from reid.execution.executors.local import LocalExecutor
from reid.grids.orchestrator import Orchestrator
from reid.grids.status import Board, RunStatus, make_board
from reid.recipe import Recipe
from reid.store.run_store import Ledger, enter

RUNS = 4096
LIMIT = 20.0  # milliseconds a run
SLOTS = 2


def train_nothing(_worker: object, folder: Any, _claim: object, report: Any, *_: object) -> tuple[str, None]:
    """In place of a training: one evaluation, and the end."""
    folder.write("evaluations", [{"epoch": 1, "mAP": 0.5}])
    report({"epoch": 1, "mAP": 0.5})
    return "finished", None


execution.Worker._train = train_nothing  # type: ignore[method-assign, assignment]  # workers import this module too


def make_plan(ledger: Ledger, runs: int) -> dict[str, Any]:
    """A plan of `runs` runs, entered."""
    recipe = Recipe().model_dump(mode="json")
    names = [f"{number:016x}" for number in range(runs)]
    for seed, name in enumerate(names):
        enter(ledger, name, recipe, seed, {"name": "none", "fingerprint": "0"})
    return {
        "name": "many",
        "arms": [{"arm": "0", "recipe": recipe}],
        "runs": [{"signature": name, "arm": "0", "seed": seed} for seed, name in enumerate(names)],
    }


def launch(plan: dict[str, Any], ledger: Ledger, until: int) -> tuple[int, float, list[float]]:
    """Train until so many runs are over; runs trained, seconds since the first, and megabytes of this process."""
    board = make_board(plan, ledger, SLOTS)
    before, memory, process = board.over(), list[float](), psutil.Process()
    first = 0.0  # when the first run was over: by then the workers have started
    with LocalExecutor(["cpu"] * SLOTS, ledger.output / "cache", skip_unreadable=False) as executor:
        dispatch = Dispatch(ledger, executor)

        def show(board: Board, changed: RunStatus | None) -> None:
            nonlocal first
            if changed is not None and not first and board.over() > before:
                first = time.perf_counter()
            if changed is not None and board.over() % (len(board.runs) // 32) == 0:
                memory.append(process.memory_info().rss / 2**20)
            if board.over() >= until and not dispatch.stopping:
                dispatch.stop()

        started = time.perf_counter()
        Orchestrator(plan, board, dispatch, lambda _: None, show).run()
        seconds = time.perf_counter() - (first or started)
    return board.over() - before, seconds, memory


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(dir=".") as folder:
        ledger = Ledger.create(Path(folder))
        started = time.perf_counter()
        plan = make_plan(ledger, runs)
        line("entered", time.perf_counter() - started, runs)
        first, seconds, memory = launch(plan, ledger, runs // 2)
        line("launched, interrupted", seconds, first)
        started = time.perf_counter()
        make_plan(ledger, runs)
        line("entered again", time.perf_counter() - started, runs)
        rest, seconds, later = launch(plan, ledger, runs + 1)
        line("resumed", seconds, rest)
        print(f"memory: {memory[0]:.0f} MB at the beginning, {later[-1]:.0f} MB at the end, {runs} runs later")
        started = time.perf_counter()
        board = make_board(plan, ledger, SLOTS)
        print(f"status of {runs} runs: {time.perf_counter() - started:.2f} s")
        started = time.perf_counter()
        board.refresh(ledger)
        print(f"looked at again: {time.perf_counter() - started:.2f} s")
        assert board.counts() == {"finished": runs}


def line(what: str, seconds: float, runs: int) -> None:
    print(f"{what}: {runs} runs, {1000 * seconds / runs:.1f} ms a run (limit {LIMIT:.0f})", flush=True)


if __name__ == "__main__":
    main()
