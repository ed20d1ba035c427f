"""From a grid file to a trained grid: plan, check before spending, launch."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import torch

from reid.ablation.dispatch import Dispatch
from reid.ablation.forecast import Forecast, forecast
from reid.ablation.grid import Grid
from reid.ablation.ledger import Ledger
from reid.ablation.local_executor import LocalExecutor, plan_slots
from reid.ablation.mirror import Mirror
from reid.ablation.orchestrator import Board, Orchestrator, RunStatus, make_board
from reid.ablation.provenance import training_code
from reid.data import DecodedDataset, open_dataset
from reid.errors import InputError
from reid.run_folder import RunFolder
from reid.training import require_trainable

Progress = Callable[[int, int], None]


class View(Protocol):
    """What a launch shows itself on."""

    def preparing(self, what: str) -> AbstractContextManager[Progress]: ...

    def show(self, board: Board, changed: RunStatus | None) -> None: ...

    def warn(self, text: str) -> None: ...


@dataclass(frozen=True)
class Launched:
    """A grid ready to train: its plan, its folder, and the ledger that its runs are in."""

    plan: dict[str, Any]
    folder: Path
    ledger: Ledger


def prepare(
    file: Path, output: Path, overrides: dict[str, Any], skip_unreadable: bool, command: str, view: View
) -> Launched:
    """Read the grid, open its data and write its plan and run folders.

    Everything that can be refused is refused here, as InputError, before a plan is written or a worker started.
    """
    grid = Grid(file, overrides)
    ledger = Ledger.create(output)
    data = open_data(grid, output, skip_unreadable, view)
    folder = output / "grids" / grid.spec.name
    plan = grid.write_plan(folder, data, command)
    recipes = {arm["arm"]: arm["recipe"] for arm in plan["arms"]}
    for run in plan["runs"]:
        enter(ledger, run["signature"], recipes[run["arm"]], run["seed"], plan["dataset"])
    return Launched(plan, folder, ledger)


def preview(
    file: Path,
    output: Path,
    overrides: dict[str, Any],
    skip_unreadable: bool,
    device: str,
    slots: int | None,
    view: View,
) -> Forecast:
    """What launching the grid would cost and could see. Writes nothing but the decoded images."""
    grid = Grid(file, overrides)
    ledger = Ledger.create(output)
    data = open_data(grid, output, skip_unreadable, view)
    return forecast(grid, data, ledger, torch.device(device), len(plan_slots(device, slots)))


def open_data(grid: Grid, output: Path, skip_unreadable: bool, view: View) -> DecodedDataset:
    """The grid's data set, decoded at every size its arms need.

    Raises InputError where an arm cannot be trained on it.
    """
    with view.preparing("drawing the data set") as progress:
        dataset = grid.spec.dataset.open(progress)
    for note in dataset.notes:
        view.warn(note)
    for recipe in (arm.recipe for arm in grid.arms):
        require_trainable(recipe, dataset)
    data: DecodedDataset | None = None
    for size in sorted({arm.recipe.image.size for arm in grid.arms}):
        with view.preparing(f"decoding images at {size[0]}x{size[1]}") as progress:
            data = open_dataset(dataset, size, output / "cache", skip_unreadable, progress)
    assert data is not None, "a grid has at least one arm"
    for recipe in (arm.recipe for arm in grid.arms):
        require_trainable(recipe, data.dataset)  # again: unreadable images may have been left out
    return data


def enter(ledger: Ledger, signature: str, recipe: dict[str, Any], seed: int, dataset: dict[str, Any]) -> RunFolder:
    """The run's folder, described if it is new, with a state that is true."""
    folder = ledger.enter(
        {
            "signature": signature,
            "recipe": recipe,
            "seed": seed,
            "dataset": dataset,
            "code": training_code(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
    ledger.settle(signature)
    return folder


def launch(
    launched: Launched, device: str, slots: int | None, skip_unreadable: bool, tracking_uri: str | None, view: View
) -> Counter[str]:
    """Train every run of the plan that has no result yet; returns the number of runs by state."""
    output = launched.ledger.output
    devices = plan_slots(device, slots)
    board = make_board(launched.plan, launched.ledger, len(devices))
    with Mirror(tracking_uri, output, launched.folder, view.warn) as mirror:
        for signature in board.runs:
            if launched.ledger.is_over(signature):
                mirror.project(launched.ledger.folder(signature).path)
        with LocalExecutor(devices, output / "cache", skip_unreadable) as executor:
            Orchestrator(launched.plan, board, Dispatch(launched.ledger, executor), mirror.project, view.show).run()
        for run in board.runs.values():
            state = launched.ledger.settle(run.signature)
            if state != run.state:  # its worker was ended at once
                run.state = state
                mirror.project(launched.ledger.folder(run.signature).path)
    view.show(board, None)
    return board.counts()


def find_grid(output: Path, name: str) -> Path:
    """The folder of a launched grid. InputError, naming those there are, where it is unknown."""
    folder = output / "grids" / name
    if not (folder / "plan.json").is_file():
        known = sorted(plan.parent.name for plan in output.glob("grids/*/plan.json"))
        raise InputError(
            f"no grid {name!r} in {output}; there are: {', '.join(known) or 'none yet (reid ablate makes one)'}"
        )
    return folder


def find_run(output: Path, name: str) -> RunFolder:
    """The folder of a run by its signature or the beginning of one. InputError where none or several match."""
    matches = sorted(path for path in output.glob("runs/*") if path.name.startswith(name)) if name else []
    if len(matches) != 1:
        raise InputError(f"run {name!r}: must begin exactly one signature in {output / 'runs'}, found {len(matches)}")
    return RunFolder(matches[0])
