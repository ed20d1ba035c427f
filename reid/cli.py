"""The command line: `reid ablate | train | evaluate | curves | report | sync | ui`, and the commands of other files."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reid.data_commands import data
from reid.errors import InputError
from reid.options import (
    OUTPUT,
    Address,
    Assignments,
    CpusPerRun,
    Device,
    ExecutorName,
    GpusPerRun,
    Output,
    Skip,
    Slots,
    SlotsPerGpu,
    SlurmWords,
    StopAfter,
    TrackingUri,
    Watchdog,
    command_line,
)
from reid.run_commands import runs
from reid.run_folder import ENDED
from reid.tune_commands import tune

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Which trick of the person re-identification strong baseline helps, by how much, how sure.",
)
app.add_typer(data, name="data")
app.add_typer(runs)
app.command()(tune)


@app.command()
def ablate(
    grid: Annotated[Path, typer.Argument(help="Grid file (YAML).")],
    output: Output = OUTPUT,
    device: Device = "auto",
    slots: Slots = None,
    slots_per_gpu: SlotsPerGpu = None,
    assignments: Assignments = None,
    skip_unreadable: Skip = False,
    tracking_uri: TrackingUri = None,
    executor: ExecutorName = "local",
    address: Address = None,
    gpus_per_run: GpusPerRun = None,
    cpus_per_run: CpusPerRun = None,
    slurm: SlurmWords = None,
    watchdog: Watchdog = 3600,
    stop_after: StopAfter = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON an event.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it costs and can see; train nothing.")] = False,
) -> None:
    """Train every run of a grid that has no result yet.

    Call it again after an interruption, or at the same time elsewhere: nothing is trained twice.
    """
    from reid.ablation.executors import Wanted, expected_slots, make_executor
    from reid.ablation.launch import launch, prepare, preview
    from reid.ablation.local_executor import chosen_device
    from reid.config import parse_assignments
    from reid.event_lines import EventLines
    from reid.status_view import closing
    from reid.terminal import TerminalView, forecast_lines

    fields = parse_assignments(assignments or [])
    wanted = Wanted(executor, slots, address, gpus_per_run, cpus_per_run, tuple(slurm or ()), slots_per_gpu)
    with EventLines() if as_json else TerminalView(Console()) as view:
        if dry_run:
            at_a_time = expected_slots(wanted, device)
            forecast = preview(grid, output, fields, skip_unreadable, chosen_device(device), at_a_time, view)
            typer.echo("\n".join(forecast_lines(forecast)))
            return
        trainer = make_executor(wanted, device, output, skip_unreadable)
        launched = prepare(grid, output, fields, skip_unreadable, command_line(), view)
        board = launch(launched, trainer, tracking_uri, view, watchdog, stop_after)
        view.end(board)
    raise typer.Exit(closing(board)[1])


@app.command()
def train(
    grid: Annotated[Path, typer.Argument(help="Grid file (YAML).")],
    arm: Annotated[str, typer.Option(help="Arm by its bits, e.g. 111111 for all six tricks.")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    output: Output = OUTPUT,
    device: Device = "auto",
    assignments: Assignments = None,
    skip_unreadable: Skip = False,
) -> None:
    """Train one arm of a grid with one seed, here and now. The run folder is the one the grid would use."""
    import torch

    from reid.ablation.execution import Worker
    from reid.ablation.launch import prepare
    from reid.ablation.local_executor import chosen_device
    from reid.ablation.sharing import source_of
    from reid.config import parse_assignments
    from reid.terminal import TerminalView, progress_line

    with TerminalView(Console()) as view:
        fields = parse_assignments(assignments or [])
        launched = prepare(grid, output, fields, skip_unreadable, command_line(), view, keep_plan=True)
    signatures = {(run["arm"], run["seed"]): run["signature"] for run in launched.plan["runs"]}
    if (arm, seed) not in signatures:
        raise InputError(
            f"--arm {arm} --seed {seed}: {grid} has no such run; arms have {len(launched.plan['factors'])} digits"
        )
    folder = launched.ledger.folder(signatures[arm, seed])
    torch.set_num_threads(1)  # as in a slot of a grid, so that the result is the grid's own, bit for bit
    worker = Worker(output / "cache", torch.device(chosen_device(device)), skip_unreadable)
    for run in dict.fromkeys((source_of(folder), folder)):  # a training that it shares comes first
        state = worker.execute(run.path, lambda numbers: typer.echo(progress_line(numbers)), lambda: False)
    typer.echo(f"{folder.path}: {state}" + (f" ({reason})" if (reason := folder.read("state").get("reason")) else ""))
    raise typer.Exit(0 if state in ENDED else 1)


@app.command()
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
    layout: str = "market1501",
    output: Output = OUTPUT,
    device: Device = "auto",
    skip_unreadable: Skip = False,
) -> None:
    """Evaluate the model of a finished run, or a checkpoint from elsewhere, on a data set; prints JSON."""
    from reid.ablation.evaluate_run import evaluate_checkpoint, evaluate_run
    from reid.ablation.launch import find_run
    from reid.ablation.local_executor import chosen_device
    from reid.config import load, parse_assignments, set_fields
    from reid.recipe import Recipe

    if (run is None) == (checkpoint is None):
        raise InputError("evaluate: give either RUN, the signature of a run, or --checkpoint FILE")
    where = on, layout, output / "cache", chosen_device(device), skip_unreadable
    if run is not None:
        if recipe or assignments:
            raise InputError("evaluate: a run has its own recipe; give --recipe and --set with --checkpoint only")
        result = evaluate_run(find_run(output, run), *where)
    if checkpoint is not None:
        base = load(recipe, Recipe) if recipe else Recipe()
        described = set_fields(base, parse_assignments(assignments or []), "--set")
        result = evaluate_checkpoint(checkpoint, described, *where)
    typer.echo(json.dumps(result, indent=1))


@app.command()
def curves(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Signatures, or beginnings of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The figure (SVG).")] = Path("curves.svg"),
    output: Output = OUTPUT,
) -> None:
    """Loss curves of runs: sparklines and oscillation indices here, and a figure."""
    from reid.ablation.launch import find_run
    from reid.reporting.sparkline import describe_run, draw_runs
    from reid.training import measure_dynamics

    folders = [find_run(output, run) for run in runs]
    for folder in folders:
        found = folder.curves()
        typer.echo("\n".join(describe_run(folder, {} if found is None else measure_dynamics(found))))
    draw_runs(folders, out)
    typer.echo(out)


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="GRID|STUDY", help="Name of a grid or a study, or its folder.")],
    formats: Annotated[
        str | None, typer.Option("--format", help="Of pdf,html,latex,csv,markdown; default: pdf,csv.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder, or a file; default: the folder of the grid or study.")
    ] = None,
    rope: Annotated[
        float | None, typer.Option(min=0, help="Differences up to so many points of mAP do not matter to you.")
    ] = None,
    allow_mixed: Annotated[
        bool, typer.Option("--allow-mixed", help="Mix code versions, data or protocols; the first page says so.")
    ] = False,
    from_mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="Read the grid from an MLflow server alone.")
    ] = None,
    output: Output = OUTPUT,
) -> None:
    """Write the report of a grid (which trick helps, by how much, how sure) or of a study (does tuning pay)."""
    from tempfile import TemporaryDirectory

    from reid.named import find_named
    from reid.reporting import chosen_formats, write_report

    def write(folder: Path, to: Path) -> None:
        share = None if rope is None else rope / 100
        for path in write_report(folder, to, chosen_formats(formats, to), share, allow_mixed):
            typer.echo(path)

    if from_mlflow is None:
        folder = find_named(output, name)
        write(folder, out or folder)
        return
    from reid.tracking import TrackingError, download

    try:
        with TemporaryDirectory() as temporary:
            write(download(from_mlflow, name, Path(temporary)), out or Path(f"{name}-report"))
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error


@app.command()
def sync(
    grid: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this grid or study; default: all.")] = None,
    output: Output = OUTPUT,
    tracking_uri: TrackingUri = None,
) -> None:
    """Rebuild MLflow from the run folders; what was killed is not RUNNING there afterwards."""
    from reid.ablation.ledger import settle_all
    from reid.tracking import TrackingError
    from reid.tracking import sync as rebuild

    settle_all(output)
    try:
        typer.echo(f"{rebuild(output, tracking_uri, grid)} runs projected")
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error


@app.command()
def ui(
    output: Output = OUTPUT,
    tracking_uri: TrackingUri = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 5000,
    browser: Annotated[bool, typer.Option(help="Open the newest grid's leaderboard.")] = True,
) -> None:
    """Serve the MLflow UI on 127.0.0.1 and open the answer."""
    from reid.tracking import serve

    serve(output, tracking_uri, port, browser)


def main() -> None:
    """Entry point: bad input is one line on standard error and exit code 2."""
    try:
        app()
    except InputError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
