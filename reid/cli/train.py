"""`reid train | evaluate | curves`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reid.cli.options import (
    OUTPUT,
    Assignments,
    CamerasKnown,
    Device,
    Output,
    Plugins,
    Skip,
    command_line,
    use_plugins,
)
from reid.cli.views.screen import Screen, say
from reid.errors import InputError


def train(
    grid: Annotated[Path, typer.Argument(help="Grid file (YAML).")],
    arm: Annotated[str, typer.Option(help="Arm by its bits, e.g. 111111 for all six tricks.")],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Default: the first that the grid trains the arm with.")
    ] = None,
    output: Output = OUTPUT,
    device: Device = "auto",
    assignments: Assignments = None,
    plugins: Plugins = None,
    skip_unreadable: Skip = False,
) -> None:
    """Train one arm of a grid with one seed, here and now. The run folder is the one the grid would use."""
    import torch

    from reid.cli.views.grid_terminal import TerminalView, progress_line
    from reid.execution.devices import chosen_device
    from reid.execution.worker import Worker
    from reid.grids.launch import prepare
    from reid.recipe.overrides import parse_assignments
    from reid.store.shared_training import source_of

    use_plugins(plugins)
    with TerminalView(Screen()) as view:
        fields = parse_assignments(assignments or [])
        launched = prepare(grid, output, fields, skip_unreadable, command_line(), view, keep_plan=True)
    plan = launched.plan
    named = [run for run in plan.runs if arm in (run.arm, plan.title_of(run.arm))]
    asked = next((run for run in named if seed in (None, run.seed)), None)
    if asked is None:
        of_seed = "" if seed is None else f" --seed {seed}"
        raise InputError(f"--arm {arm}{of_seed}: {grid} has no such run; arms have {len(plan.factors)} digits")
    folder = launched.run_store.folder(asked.signature)
    torch.set_num_threads(1)  # as in a slot of a grid, so that the result is the grid's own, bit for bit
    worker = Worker(output / "cache", torch.device(chosen_device(device)), skip_unreadable)
    for run in dict.fromkeys((source_of(folder), folder)):  # a training that it shares comes first
        state = worker.execute(run.path, lambda progress, _: say(progress_line(progress)), lambda: False)
    say(f"{folder.path}: {state}" + (f" ({reason})" if (reason := folder.read_state().reason) else ""))
    raise typer.Exit(0 if state.has_result else 1)


def evaluate(
    on: Annotated[Path, typer.Option("--on", help="Folder of the data set to evaluate on.")],
    run: Annotated[str | None, typer.Argument(help="Signature of a finished run, or the beginning of one.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Instead of a run: state dict, e.g. resnet50_model_120.pth of the reference.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe (YAML) of the checkpoint; default: the standard baseline.")
    ] = None,
    assignments: Assignments = None,
    plugins: Plugins = None,
    layout: str = "market1501",
    cameras: CamerasKnown = "labelled",
    output: Output = OUTPUT,
    device: Device = "auto",
    skip_unreadable: Skip = False,
) -> None:
    """Evaluate the model of a finished run, or a checkpoint from elsewhere, on a data set; prints JSON."""
    from reid.execution.devices import chosen_device
    from reid.execution.evaluate_run import TestSet, evaluate_checkpoint, evaluate_run
    from reid.recipe import Recipe
    from reid.recipe.overrides import parse_assignments, set_fields
    from reid.recipe.yaml import load
    from reid.store.lookup import find_run

    if (run is None) == (checkpoint is None):
        raise InputError("evaluate: give either RUN, the signature of a run, or --checkpoint FILE")
    use_plugins(plugins)
    where = TestSet(on, layout, output / "cache", chosen_device(device), skip_unreadable, cameras)
    if run is not None:
        if recipe or assignments:
            raise InputError("evaluate: a run has its own recipe; give --recipe and --set with --checkpoint only")
        result = evaluate_run(find_run(output, run), where)
    if checkpoint is not None:
        base = load(recipe, Recipe) if recipe else Recipe()
        described = set_fields(base, parse_assignments(assignments or []), "--set")
        result = evaluate_checkpoint(checkpoint, described, where)
    say(json.dumps(result, indent=1))


def curves(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Signatures, or beginnings of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The figure (SVG).")] = Path("curves.svg"),
    output: Output = OUTPUT,
) -> None:
    """Loss curves of runs: sparklines and oscillation indices here, and a figure."""
    from reid.cli.views.sparkline import describe_run, draw_runs
    from reid.store.lookup import find_run
    from reid.training import measure_dynamics

    folders = [find_run(output, run) for run in runs]
    for folder in folders:
        found = folder.curves()
        say("\n".join(describe_run(folder, {} if found is None else measure_dynamics(found))))
    draw_runs(folders, out)
    say(out)
