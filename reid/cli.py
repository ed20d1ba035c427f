"""The command line: `reid data | train | ablate | status | evaluate | report | sync | ui`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from reid.errors import InputError
from reid.run_folder import ENDED

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Which trick of the person re-identification strong baseline helps, by how much, how sure.",
)
data = typer.Typer(no_args_is_help=True, help="Make and check data sets.")
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


@data.command("synthesize")
def synthesize_command(
    out: Path,
    train_identities: Annotated[int, typer.Option(min=1)],
    test_identities: Annotated[int, typer.Option(min=1)],
    cameras: Annotated[int, typer.Option()] = 6,
    images: Annotated[int, typer.Option(help="Images per identity, over all its cameras.")] = 12,
    seed: int = 0,
) -> None:
    """Draw a pedestrian data set in Market-1501's layout."""
    from pydantic import ValidationError

    from reid.config import describe
    from reid.data.synthetic import SyntheticSpec, synthesize
    from reid.terminal import TerminalView

    try:
        spec = SyntheticSpec(
            train_identities=train_identities,
            test_identities=test_identities,
            cameras=cameras,
            images=images,
            seed=seed,
        )
    except ValidationError as error:
        raise InputError(f"--{describe(error, SyntheticSpec).replace('_', '-', 1)}") from error
    with TerminalView(Console()) as view, view.preparing("drawing") as progress:
        synthesize(out, spec, progress)
    typer.echo(f"{out}: {train_identities} identities to train on, {test_identities} to test on, {cameras} cameras")


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
) -> None:
    """Train every run of a grid that has no result yet.

    Call it again after an interruption: nothing is trained twice.
    """
    from reid.ablation.launch import launch, prepare
    from reid.config import parse_assignments
    from reid.terminal import TerminalView

    with TerminalView(Console()) as view:
        launched = prepare(grid, output, parse_assignments(assignments or []), skip_unreadable, command_line(), view)
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
    run: Annotated[str, typer.Argument(help="Signature of a finished run, or the beginning of one.")],
    on: Annotated[Path, typer.Option("--on", help="Folder of the data set to evaluate on.")],
    layout: str = "market1501",
    output: Output = OUTPUT,
    device: Device = "auto",
    skip_unreadable: Skip = False,
) -> None:
    """Evaluate the model of a finished run on a data set; prints JSON."""
    from reid.ablation.evaluate_run import evaluate_run
    from reid.ablation.launch import find_run

    result = evaluate_run(find_run(output, run), on, layout, output / "cache", chosen_device(device), skip_unreadable)
    typer.echo(json.dumps(result, indent=1))


@app.command()
def report(
    grid: str,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The PDF; default: report.pdf in the grid's folder.")
    ] = None,
    output: Output = OUTPUT,
) -> None:
    """Write the PDF report of a grid, and its tables as CSV beside it."""
    from reid.ablation.launch import find_grid
    from reid.reporting import write_report

    folder = find_grid(output, grid)
    for path in write_report(folder, out or folder / "report.pdf"):
        typer.echo(path)


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
