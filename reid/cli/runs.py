"""The commands that look after runs: `reid status | stop | retry | forget | logs`."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid.cli.options import OUTPUT, Output, TrackingUri, tell_damaged
from reid.cli.streams import lost_output
from reid.cli.views.screen import Screen, say
from reid.errors import InputError

if TYPE_CHECKING:
    from reid.grids.status import GridStatus
    from reid.store.run_store import RunStore

runs = typer.Typer()
Run = Annotated[str, typer.Argument(help="Signature of a run, or the beginning of one.")]
LOOK_SECONDS = 1.0
PIPED_WIDTH = 400


@runs.command()
def status(
    grid: Annotated[str | None, typer.Argument(help="Default: all grids in short.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until the grid is over; a line an event off a TTY.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One document; with --watch a line of JSON an event.")
    ] = False,
    output: Output = OUTPUT,
) -> None:
    """How far a grid is: every run with its state, speed and time to go. Looks at folders only, from any machine."""
    from reid.cli.views.looks import looks_table
    from reid.cli.views.status_table import grid_lines, grids_table, status_document, status_table
    from reid.store.run_store import RunStore

    if grid is None and watch:
        raise InputError("status --watch: watches one grid; name it")
    statuses = open_statuses(output, grid)
    if watch:
        watch_grid(statuses[0], RunStore(output), as_json)
    elif as_json:
        documents = [status_document(status, runs=grid is not None) for status in statuses]
        say(json.dumps({"grids": documents} if grid is None else documents[0], indent=1))
    elif grid is None:
        wide_console().print(grids_table(statuses))
    else:
        wide_console().print(status_table(statuses[0]))
        if statuses[0].looks:
            wide_console().print(looks_table(statuses[0]))
        say("\n".join(grid_lines(statuses[0])))


@runs.command()
def stop(
    name: Annotated[str, typer.Argument(metavar="GRID|STUDY", help="Name of a grid, or of a study.")],
    output: Output = OUTPUT,
) -> None:
    """Ask all who train a grid or a study, on any machine, to finish the epoch in flight and stop."""
    from reid.store.lookup import find_named
    from reid.store.stop_request import StopRequest

    StopRequest(find_named(output, name)).make()
    say(f"{name}: asked to stop after the epoch in flight; the command that launched it goes on from there")


@runs.command()
def retry(
    grid: str,
    output: Output = OUTPUT,
) -> None:
    """Let the next launch of a grid try again the runs that failed, quarantined or not."""
    from reid.store.run_store import RunStore, release

    (status,) = open_statuses(output, grid)
    run_store = RunStore(output)
    released = [run for run in status.runs.values() if release(run_store.folder(run.signature))]
    say(f"{len(released)} failed runs of {grid} released; launch the grid again to train them")


@runs.command()
def forget(run: Run, output: Output = OUTPUT, tracking_uri: TrackingUri = None) -> None:
    """Remove a run: its folder, and what MLflow shows of it. A grid that has it trains it anew when launched again."""
    from reid.cli.forget import forget_run
    from reid.store.lookup import find_run

    for line in forget_run(output, find_run(output, run), tracking_uri):
        say(line)


@runs.command()
def logs(
    run: Run,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on while the run trains.")] = False,
    output: Output = OUTPUT,
) -> None:
    """What a run's worker wrote: attempts, evaluations, tracebacks."""
    from reid.store.claim import ClaimMonitor
    from reid.store.lookup import find_run

    folder, monitor = find_run(output, run), ClaimMonitor()
    if not folder.log.exists():
        raise InputError(f"run {folder.signature}: has no log yet, nobody has begun to train it")
    with folder.log.open(encoding="utf-8", errors="replace") as log, suppress(KeyboardInterrupt):
        trains = True
        while trains:
            trains = follow and monitor.holder(folder) is not None  # before reading: nothing is written after the end
            say(log.read(), nl=False)
            trains = trains and lost_output() is None
            time.sleep(LOOK_SECONDS if trains else 0)


def wide_console() -> Screen:
    """One that cuts nothing where no terminal sets its width."""
    console = Screen()
    return console if console.is_terminal else Screen(width=PIPED_WIDTH)


def open_statuses(output: Path, grid: str | None) -> "list[GridStatus]":
    """The status of one grid, or of all."""
    from reid.grids.status import open_status
    from reid.store.lookup import find_kind
    from reid.store.plan import planned_grids, read_plan
    from reid.store.run_records import RunState
    from reid.store.run_store import RunStore

    if grid is not None:
        grids = [read_plan(find_kind(output, "grid", grid))]
    else:
        tell_damaged(output)
        grids = sorted(planned_grids(output), key=lambda grid: grid.plan.name)
    statuses = [open_status(grid.plan, RunStore(output), 1) for grid in grids]
    for status in statuses:
        status.slots = max(1, status.counts()[RunState.RUNNING])
    return statuses


def watch_grid(status: "GridStatus", run_store: "RunStore", as_json: bool) -> None:
    """Show what happens to a grid until it is over or Ctrl-C."""
    from reid.cli.views.grid_terminal import TerminalView
    from reid.cli.views.json_lines import EventLines
    from reid.store.run_records import RunState

    with EventLines() if as_json else TerminalView(Screen()) as view, suppress(KeyboardInterrupt):
        while not status.is_over() and lost_output() is None:
            view.show(status, None)
            time.sleep(LOOK_SECONDS)
            for run in status.refresh(run_store):
                view.show(status, run)
            status.slots = max(1, status.counts()[RunState.RUNNING])
        view.end(status)
