"""From a grid file to a trained grid: plan, check before spending, launch."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from pydantic import JsonValue

from reid.data import Dataset, DecodedDataset, join_datasets, open_dataset
from reid.execution.dispatch import STOP_AFTER, WATCHDOG_SECONDS, Dispatch
from reid.execution.executors.base import Executor
from reid.files import write_record
from reid.grids.budget import open_budget
from reid.grids.follow_up import followed_up, with_arms_of
from reid.grids.forecast import Forecast, forecast
from reid.grids.grid import Grid, read_grid
from reid.grids.growth import Growth, require_same_question
from reid.grids.orchestrator import Orchestrator
from reid.grids.planning import asked_runs, change_of_plan, make_plan
from reid.grids.status import GridStatus, RunStatusRow, open_status
from reid.store.plan import Plan, read_plan
from reid.store.run_records import RunState
from reid.store.run_store import RunStore
from reid.store.stop_request import StopRequest
from reid.store.tracker import Tracker
from reid.training import require_trainable

Progress = Callable[[int, int], None]


class View(Protocol):
    """What a launch shows itself on."""

    def preparing(self, what: str) -> AbstractContextManager[Progress]: ...

    def show(self, status: GridStatus, changed: RunStatusRow | None) -> None: ...

    def warn(self, text: str) -> None: ...


@dataclass(frozen=True)
class Launched:
    """A grid ready to train: its plan, its folder, the store that its runs are in, and what makes it grow, if any."""

    plan: Plan
    folder: Path
    run_store: RunStore
    growth: Growth | None = None


def prepare(
    file: Path,
    output: Path,
    overrides: Mapping[str, JsonValue],
    skip_unreadable: bool,
    command: str,
    view: View,
    keep_plan: bool = False,
    follow_up: bool = False,
) -> Launched:
    """Read the grid, open its data and write its plan and run folders.

    With `follow_up` a fraction gets the arms that its results ask for. With `keep_plan` a grid of that name which is
    planned already stays as it is on disk. Everything that can be refused is refused here, as InputError, before a plan
    is written or a worker started.
    """
    grid = read_grid(file, overrides)
    _say_left_out(grid, view)
    run_store = RunStore.create(output)
    folder = output / "grids" / grid.spec.name
    before = read_plan(folder).plan if (folder / "plan.json").exists() else None
    grid = with_arms_of(grid, before)
    if follow_up:
        grid, why = followed_up(grid, folder)
        view.warn(why)
    opened = open_data(grid, output, skip_unreadable, view)
    growth = None
    if grid.spec.until and not (keep_plan and before):
        folder.mkdir(parents=True, exist_ok=True)
        growth = Growth(grid, opened, run_store, folder, command)
        growth.open()
    plan = growth.plan if growth else make_plan(grid, opened, run_store.folder, command)
    if growth is None and not (keep_plan and before):
        require_same_question(folder, plan)
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder / "plan.json", plan)
    if before and not keep_plan and (change := change_of_plan(before, plan)):
        view.warn(change)
    for asked in asked_runs(grid, plan, opened):
        run_store.enter(asked)
    return Launched(plan, folder, run_store, growth)


def preview(
    file: Path,
    output: Path,
    overrides: Mapping[str, JsonValue],
    skip_unreadable: bool,
    device: str,
    slots: int,
    view: View,
) -> Forecast:
    """What launching the grid would cost and could see. Writes nothing but the decoded images."""
    grid = read_grid(file, overrides)
    _say_left_out(grid, view)
    run_store = RunStore.create(output)
    opened = open_data(grid, output, skip_unreadable, view)
    return forecast(grid, opened, run_store, torch.device(device), slots)


def _say_left_out(grid: Grid, view: View) -> None:
    for rule, count in Counter(grid.left_out.values()).items():
        view.warn(f"{rule}: {count} arms that break this are left out")


def open_data(grid: Grid, output: Path, skip_unreadable: bool, view: View) -> dict[str, DecodedDataset]:
    """The grid's data sets by name at the image size of its first arm, decoded at every size that its arms need.

    Raises InputError where an arm cannot be trained on them.
    """
    datasets: dict[str, Dataset] = {}
    for name in dict.fromkeys(name for arm in grid.arms for name in grid.domains(arm).names):
        with view.preparing(f"drawing {name}") as progress:
            datasets[name] = grid.spec.sources[name].open(progress)
        for note in datasets[name].notes:
            view.warn(note if len(grid.spec.sources) == 1 else f"{name}: {note}")
    _require_usable(grid, datasets)
    opened: dict[tuple[int, int], dict[str, DecodedDataset]] = {}
    for size in sorted({arm.recipe.image.size for arm in grid.arms}):
        opened[size] = {}
        for name, dataset in datasets.items():
            with view.preparing(f"decoding {name} at {size[0]}x{size[1]}") as progress:
                opened[size][name] = open_dataset(dataset, size, output / "cache", skip_unreadable, progress)
    found = opened[grid.arms[0].recipe.image.size]
    left = {name: data.dataset for name, data in found.items()}  # unreadable images are left out
    _require_usable(grid, left)
    for name, dataset in left.items():
        for note in sorted(set(dataset.notes) - set(datasets[name].notes)):
            view.warn(note if len(grid.spec.sources) == 1 else f"{name}: {note}")
    return found


def _require_usable(grid: Grid, datasets: Mapping[str, Dataset]) -> None:
    """Raise InputError where an arm cannot be trained, or evaluated on each of its sets."""
    for arm in grid.arms:
        domains = grid.domains(arm)
        training = join_datasets([datasets[name] for name in domains.train_on], datasets[domains.primary])
        require_trainable(arm.recipe, training)
        for name in domains.evaluate_on:
            datasets[name].require_evaluable()


def launch(
    launched: Launched,
    executor: Executor,
    tracker: Tracker,
    view: View,
    watchdog: float = WATCHDOG_SECONDS,
    stop_after: int = STOP_AFTER,
) -> GridStatus:
    """Train every run of the plan that is not settled on `executor`, which is entered; returns the status at the end.

    It may show runs as running: those that another process trains when this one was asked to stop.
    """
    run_store, stop_request = launched.run_store, StopRequest(launched.folder)
    budget = open_budget(launched.plan, run_store)
    status = open_status(launched.plan, run_store, executor.slots)
    with tracker:
        for run in status.runs.values():
            if run.state != RunState.PLANNED:  # whatever was shown last: what was killed must not stay running there
                tracker.project(run_store.folder(run.signature).path)
        with executor:
            dispatch = Dispatch(run_store, executor, watchdog, stop_after)
            Orchestrator(
                launched.plan, status, dispatch, tracker.project, view.show, stop_request, budget, launched.growth
            ).run()
        for signature in status.runs:
            with suppress(OSError):  # a full disk; the next launch settles it
                run_store.settle(signature)
        for run in status.refresh(run_store):
            tracker.project(run_store.folder(run.signature).path)
    view.show(status, None)
    return status
