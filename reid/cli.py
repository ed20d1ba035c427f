"""The command line: `reid data | train | ablate | status | evaluate | curves | report | sync | ui`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from reid.data_commands import data
from reid.errors import InputError
from reid.run_folder import ENDED

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Which trick of the person re-identification strong baseline helps, by how much, how sure.",
)
app.add_typer(data, name="data")

Output = Annotated[Path, typer.Option(help="Folder of runs, grids, caches and the embedded MLflow store.")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: CUDA where there is one.")]
Skip = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave out images that cannot be read; the report counts them.")
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of the base recipe.")
]
TrackingUri = Annotated[
    str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow server; default: SQLite in the output folder.")
]
OUTPUT = Path("output")


@app.command()
def ablate(
    grid: Annotated[Path, typer.Argument(help="Grid file (YAML).")],
    output: Output = OUTPUT,
    device: Device = "auto",
    slots: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time; default: one a GPU, or one a CPU core.")
    ] = None,
    assignments: Assignments = None,
    skip_unreadable: Skip = False,
    tracking_uri: TrackingUri = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it costs and can see; train nothing.")] = False,
) -> None:
    """Train every run of a grid that has no result yet.

    Call it again after an interruption: nothing is trained twice.
    """
    from reid.ablation.launch import launch, prepare, preview
    from reid.config import parse_assignments
    from reid.terminal import TerminalView, forecast_lines

    fields = parse_assignments(assignments or [])
    with TerminalView(Console()) as view:
        if dry_run:
            forecast = preview(grid, output, fields, skip_unreadable, chosen_device(device), slots, view)
            typer.echo("\n".join(forecast_lines(forecast)))
            return
        launched = prepare(grid, output, fields, skip_unreadable, command_line(), view)
        counts = launch(launched, chosen_device(device), slots, skip_unreadable, tracking_uri, view)
    name = launched.plan["name"]
    typer.echo(f"grid {name}: " + ", ".join(f"{count} {state}" for state, count in counts.items()))
    if counts["stopped"] or counts["planned"]:
        typer.echo("stopped before the end; the same command goes on from here")
        raise typer.Exit(130)
    if counts["failed"]:
        typer.echo(f"some runs failed: `reid status {name}` says why; the same command tries them again")
        raise typer.Exit(1)


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
    from reid.config import parse_assignments
    from reid.terminal import TerminalView, progress_line

    with TerminalView(Console()) as view:
        launched = prepare(grid, output, parse_assignments(assignments or []), skip_unreadable, command_line(), view)
    signatures = {(run["arm"], run["seed"]): run["signature"] for run in launched.plan["runs"]}
    if (arm, seed) not in signatures:
        raise InputError(
            f"--arm {arm} --seed {seed}: {grid} has no such run; arms have {len(launched.plan['factors'])} digits"
        )
    folder = launched.ledger.folder(signatures[arm, seed])
    torch.set_num_threads(1)  # as in a slot of a grid, so that the result is the grid's own, bit for bit
    worker = Worker(output / "cache", torch.device(chosen_device(device)), skip_unreadable)
    state = worker.execute(folder.path, lambda numbers: typer.echo(progress_line(numbers)), lambda: False)
    typer.echo(f"{folder.path}: {state}" + (f" ({reason})" if (reason := folder.read("state").get("reason")) else ""))
    raise typer.Exit(0 if state in ENDED else 1)


@app.command()
def status(grid: str, output: Output = OUTPUT) -> None:
    """Every run of a grid with its state."""
    from reid.ablation.launch import find_grid
    from reid.ablation.ledger import Ledger
    from reid.ablation.orchestrator import make_board
    from reid.terminal import status_table

    plan = json.loads((find_grid(output, grid) / "plan.json").read_text())
    board = make_board(plan, Ledger(output), slots=1)
    Console().print(status_table(board))
    typer.echo(", ".join(f"{count} {state}" for state, count in board.counts().items()))


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
    grid: str,
    formats: Annotated[
        str | None, typer.Option("--format", help="Of pdf,html,latex,csv,markdown; default: pdf,csv.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder, or a file; default: the grid's folder.")
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
    """Write the report of a grid: which trick helps, by how much, how sure, and together with what."""
    from tempfile import TemporaryDirectory

    from reid.ablation.launch import find_grid
    from reid.reporting import chosen_formats, write_report

    def write(folder: Path, to: Path) -> None:
        share = None if rope is None else rope / 100
        for path in write_report(folder, to, chosen_formats(formats, to), share, allow_mixed):
            typer.echo(path)

    if from_mlflow is None:
        folder = find_grid(output, grid)
        write(folder, out or folder)
        return
    from reid.tracking import TrackingError, download

    try:
        with TemporaryDirectory() as temporary:
            write(download(from_mlflow, grid, Path(temporary)), out or Path(f"{grid}-report"))
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error


@app.command()
def sync(
    grid: Annotated[str | None, typer.Argument(help="Only this grid; default: all.")] = None,
    output: Output = OUTPUT,
    tracking_uri: TrackingUri = None,
) -> None:
    """Rebuild MLflow from the run folders."""
    from reid.tracking import TrackingError
    from reid.tracking import sync as rebuild

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


def chosen_device(device: str) -> str:
    """ "cpu" or "cuda". Raises InputError for "cuda" where there is none."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device is available; use --device cpu")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def command_line() -> str:
    return shlex.join(["reid", *sys.argv[1:]])


def main() -> None:
    """Entry point: bad input is one line on standard error and exit code 2."""
    try:
        app()
    except InputError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
