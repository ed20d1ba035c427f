"""`reid tune`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reid.cli.options import (
    OUTPUT,
    Address,
    CpusPerRun,
    Device,
    ExecutorName,
    GpusPerRun,
    Output,
    Skip,
    Slots,
    SlurmWords,
    TrackingUri,
    command_line,
)
from reid.errors import InputError


def tune(
    study: Annotated[Path | None, typer.Argument(help="Study file (YAML).")] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="NAME", help="Show the trials of a study; train nothing.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="sqlite, journal, or postgresql://USER@HOST/DATABASE; default: as the file says.")
    ] = None,
    output: Output = OUTPUT,
    device: Device = "auto",
    slots: Slots = None,
    skip_unreadable: Skip = False,
    tracking_uri: TrackingUri = None,
    executor: ExecutorName = "local",
    address: Address = None,
    gpus_per_run: GpusPerRun = None,
    cpus_per_run: CpusPerRun = None,
    slurm: SlurmWords = None,
) -> None:
    """Search for better knobs on validation identities, then compare the winner with the paper's defaults, once.

    Call it again after an interruption, or at the same time elsewhere: no trial is lost or made twice.
    """
    if (study is None) == (status is None):
        raise InputError("tune: give either a study file, or --status NAME")
    if status is not None:
        show_status(output, status, storage)
        return
    assert study is not None
    from reid.cli.views.study_terminal import StudyTerminal, outcome_lines
    from reid.execution.executors.choose import ExecutorOptions, make_executor
    from reid.studies.launch import Launch, read_record
    from reid.studies.launch import tune as run_study
    from reid.tracking import study_tracker
    from reid.tracking.background import BackgroundTracker

    options = ExecutorOptions(executor, slots, address, gpus_per_run, cpus_per_run, tuple(slurm or ()))
    with StudyTerminal(Console()) as view:
        trainer = make_executor(options, device, output, skip_unreadable)

        def tracker_of(folder: Path) -> BackgroundTracker:
            return BackgroundTracker(tracking_uri, output, folder, view.warn, study_tracker)

        launch = Launch(output, trainer, skip_unreadable, tracker_of, storage, command_line())
        outcome = run_study(study, launch, view)
    record = read_record(output / "studies" / outcome.name)
    typer.echo("\n".join(outcome_lines(outcome, [one["metric"] for one in record["objectives"]])))
    if outcome.gave_up:
        typer.echo(outcome.gave_up)
        raise typer.Exit(1)
    if outcome.stopped:
        typer.echo("stopped before the end; the same command goes on from here")
        raise typer.Exit(130)
    if outcome.best is None:
        typer.echo(f"no trial is complete, so there is no winner: `reid tune --status {outcome.name}` says why")
        raise typer.Exit(1)
    if outcome.elsewhere:
        typer.echo("another process compares the winner with the defaults")


def show_status(output: Path, name: str, storage: str | None) -> None:
    """Print every trial of a study, and what came of it."""
    from reid.cli.views.study_terminal import comparison_lines, trials_table
    from reid.studies.launch import status

    study, trials, comparison = status(output, name, storage)
    Console().print(trials_table(study, trials))
    counts = {
        state: sum(trial["state"] == state for trial in trials) for state in dict.fromkeys(t["state"] for t in trials)
    }
    typer.echo(", ".join(f"{count} {state}" for state, count in counts.items()) + f" of {study['trials']}")
    if comparison is not None:
        typer.echo("\n".join(comparison_lines(comparison)))
