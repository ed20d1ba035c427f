"""What 4,096 runs cost beside their training: `python -m benchmarks.run_store`.

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
from reid.grids.status import GridStatus, RunStatusRow, open_status
from reid.metrics.scores import Scores
from reid.recipe import Recipe
from reid.store.plan import ArmRecord, Plan, PlannedRun
from reid.store.run_records import DatasetRecord, EvaluationRecord, ProgressRecord, RecipeRecord, RunState
from reid.store.run_store import RunStore, asked_now

RUNS = 4096
LIMIT = 20.0  # milliseconds a run
SLOTS = 2


def train_nothing(_worker: object, folder: Any, _claim: object, report: Any, *_: object) -> tuple[RunState, None]:
    """In place of a training: one evaluation, and the end."""
    scores = Scores(mAP=0.5, mINP=0.5, rank1=0.5, rank5=0.5, rank10=0.5)
    folder.write_evaluations([EvaluationRecord(epoch=1, **scores.model_dump())])
    report(ProgressRecord(epoch=1, scores=scores), True)
    return RunState.FINISHED, None


execution.Worker._train = train_nothing  # type: ignore[method-assign, assignment]  # workers import this module too


def make_plan(run_store: RunStore, runs: int) -> Plan:
    """A plan of `runs` runs, entered."""
    recipe, dataset = RecipeRecord.of(Recipe()), DatasetRecord(name="none", fingerprint="0")
    names = [f"{number:016x}" for number in range(runs)]
    for seed, name in enumerate(names):
        run_store.enter(asked_now(name, recipe, seed, dataset))
    return Plan(
        name="many",
        factors=(),
        seeds=tuple(range(runs)),
        arms=(ArmRecord(arm="0", levels={}, recipe=recipe),),
        runs=tuple(PlannedRun(signature=name, arm="0", seed=seed) for seed, name in enumerate(names)),
    )


def launch(plan: Plan, run_store: RunStore, until: int) -> tuple[int, float, list[float]]:
    """Train until so many runs are over; runs trained, seconds since the first, and megabytes of this process."""
    status = open_status(plan, run_store, SLOTS)
    before, memory, process = status.with_result(), list[float](), psutil.Process()
    first = 0.0  # when the first run was over: by then the workers have started
    with LocalExecutor(["cpu"] * SLOTS, run_store.output / "cache", skip_unreadable=False) as executor:
        dispatch = Dispatch(run_store, executor)

        def show(status: GridStatus, changed: RunStatusRow | None) -> None:
            nonlocal first
            if changed is not None and not first and status.with_result() > before:
                first = time.perf_counter()
            if changed is not None and status.with_result() % (len(status.runs) // 32) == 0:
                memory.append(process.memory_info().rss / 2**20)
            if status.with_result() >= until and not dispatch.stopping:
                dispatch.stop()

        started = time.perf_counter()
        Orchestrator(plan, status, dispatch, lambda _: None, show).run()
        seconds = time.perf_counter() - (first or started)
    return status.with_result() - before, seconds, memory


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(dir=".") as folder:
        run_store = RunStore.create(Path(folder))
        started = time.perf_counter()
        plan = make_plan(run_store, runs)
        line("entered", time.perf_counter() - started, runs)
        first, seconds, memory = launch(plan, run_store, runs // 2)
        line("launched, interrupted", seconds, first)
        started = time.perf_counter()
        make_plan(run_store, runs)
        line("entered again", time.perf_counter() - started, runs)
        rest, seconds, later = launch(plan, run_store, runs + 1)
        line("resumed", seconds, rest)
        print(f"memory: {memory[0]:.0f} MB at the beginning, {later[-1]:.0f} MB at the end, {runs} runs later")
        started = time.perf_counter()
        status = open_status(plan, run_store, SLOTS)
        print(f"status of {runs} runs: {time.perf_counter() - started:.2f} s")
        started = time.perf_counter()
        status.refresh(run_store)
        print(f"looked at again: {time.perf_counter() - started:.2f} s")
        assert status.counts() == {"finished": runs}


def line(what: str, seconds: float, runs: int) -> None:
    print(f"{what}: {runs} runs, {1000 * seconds / runs:.1f} ms a run (limit {LIMIT:.0f})", flush=True)


if __name__ == "__main__":
    main()
