"""`reid verdict`."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid.cli.views.screen import Screen, say
from reid.errors import InputError

if TYPE_CHECKING:
    from reid.analysis.any_trainer import Sheet
    from reid.analysis.any_trainer.verdict import AnyVerdict

WIDE = 160  # characters of the table in a file


def verdict(
    factors: Annotated[str, typer.Option(metavar="A,B,C", help="Columns of what was switched, any labels.")],
    metric: Annotated[str, typer.Option(metavar="COLUMN", help="What was measured, in any unit.")],
    table: Annotated[
        Path | None, typer.Argument(metavar="RUNS.csv", help="A row a run; exports of W&B, ClearML and MLflow too.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Runs that share a seed are paired; default: none do.")
    ] = None,
    matters: Annotated[
        float | None, typer.Option(min=0, help="Differences below this do not matter to you; in the metric's unit.")
    ] = None,
    higher_is_better: Annotated[
        bool | None,
        typer.Option(
            "--higher-is-better/--lower-is-better", help="Default: higher; asked where the name is of a cost."
        ),
    ] = None,
    base: Annotated[
        list[str] | None,
        typer.Option(metavar="FACTOR=LEVEL", help="Default: a word for off, else the smallest number, else the first."),
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What became of a run; default: State or Status.")
    ] = None,
    finished: Annotated[
        str | None, typer.Option(metavar="WORDS", help="States whose last value counts too, such as stopped.")
    ] = None,
    pairs_nil: Annotated[
        bool, typer.Option("--pairs-nil", help="Take interactions of two factors to be nil; the page says so.")
    ] = False,
    from_mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="Read an MLflow server, folder or database instead of a file.")
    ] = None,
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="Which experiment there.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder, or a file; default: NAME-verdict, here.")
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--format", help="Of pdf,html,svg,latex,markdown,csv; default: pdf,html,svg,csv.")
    ] = None,
) -> None:
    """Which factor changes the metric, by how much, how sure: for runs of any trainer, from a table of them."""
    from reid.analysis.any_trainer import Asked, names_in, read_any_runs

    asked = Asked(
        names_in(factors, "--factors"),
        metric,
        seed,
        state,
        names_in(finished, "--finished") if finished else (),
        dict(_assignment(one) for one in base or ()),
        higher_is_better,
    )
    if matters is not None and not math.isfinite(matters):
        raise InputError(f"--matters {matters}: must be a number in the metric's unit")
    runs = read_any_runs(_sheet(table, from_mlflow, experiment), asked)
    from reid.analysis.any_trainer.verdict import AnyVerdict  # what it imports costs a second: bad input is told before

    found = AnyVerdict(runs, matters, pairs_nil)
    _print(found)
    from reid.report.any_trainer import chosen, write_verdict  # another second, for what draws

    place = out or Path(re.sub(r"[^\w.-]+", "-", runs.name) + "-verdict")
    for path in write_verdict(found, place, chosen(formats, place)):
        say(path)


def _sheet(table: Path | None, uri: str | None, experiment: str | None) -> "Sheet":
    """The table that is asked for."""
    if (table is None) == (uri is None):
        raise InputError("reid verdict: takes a CSV file or --from-mlflow, one of them; see reid verdict --help")
    if table is not None:
        from reid.analysis.any_trainer import read_csv_file

        if experiment is not None:
            raise InputError(f"--experiment {experiment}: goes with --from-mlflow; leave it out for {table}")
        return read_csv_file(table)
    if uri is None or experiment is None:
        raise InputError(f"--from-mlflow {uri}: must come with --experiment NAME")
    from reid.tracking import TrackingError
    from reid.tracking.any_trainer import experiment_sheet

    try:
        return experiment_sheet(uri, experiment)
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error


def _assignment(text: str) -> tuple[str, str]:
    name, equals, level = text.rpartition("=")
    if not (name and equals and level):
        raise InputError(f"--base: must be FACTOR=LEVEL, found {text!r}")
    return name.strip(), level.strip()


def _print(found: "AnyVerdict") -> None:
    from rich.table import Column, Table

    from reid.analysis.any_trainer.words import HEADS, headline, rows

    for note in (*found.runs.notes, *found.runs.spellings):
        say(f"note: {note}", err=True)
    say(f"{found.runs.asked.metric} of {len(found.runs.values)} runs in {found.runs.where}; {found.runs.seeding}")
    shown = Table(*(Column(head, overflow="fold") for head in HEADS), box=None)
    for cells in rows(found):
        shown.add_row(*cells)
    console = Screen()
    (console if console.is_terminal else Screen(width=WIDE)).print(shown)
    say(headline(found))
