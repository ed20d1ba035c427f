"""`reid tune`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reid.cli.options import LaunchOptions, command_line, with_launch_options
from reid.cli.views.screen import Screen, say
from reid.errors import InputError


@with_launch_options
def tune(
    options: LaunchOptions,
    study: Annotated[Path | None, typer.Argument(help="Study file (YAML).")] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="NAME", help="Show the trials of a study; train nothing.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            envvar="REID_STORAGE",
            help="sqlite, journal, or postgresql://USER@HOST/DATABASE (its password: PGPASSWORD); default: the file's.",
        ),
    ] = None,
) -> None:
    """Search for better knobs on validation identities, then compare the winner with the paper's defaults, once.

    Call it again after an interruption, or at the same time elsewhere: no trial is lost or made twice.
    """
    if (study is None) == (status is None):
        raise InputError("tune: give either a study file, or --status NAME")
    if status is not None:
        show_status(options, status, storage)
    elif study is not None:
        run_study(options, study, storage)


def run_study(options: LaunchOptions, file: Path, storage: str | None) -> None:
    """Search and compare, or say what that would cost."""
    from reid.cli.views.study_lines import StudyEventLines
    from reid.cli.views.study_terminal import StudyTerminal, closing, forecast_lines
    from reid.execution.devices import chosen_device
    from reid.execution.executors.choose import expected_slots, make_executor
    from reid.studies.forecast import preview
    from reid.studies.launch import Launch, study_folder, tune
    from reid.studies.study_file import StudyPlan
    from reid.tracking.background import BackgroundTracker
    from reid.tracking.study.tracker import study_tracker

    output, device, skip = options.output, options.device, options.skip_unreadable
    wanted, plan = options.executor_options, StudyPlan(file, options.overrides)
    shown_on: StudyEventLines | StudyTerminal = StudyEventLines() if options.as_json else StudyTerminal(Screen())
    with shown_on as view:
        if options.dry_run:
            forecast = preview(plan, output, skip, chosen_device(device), expected_slots(wanted, device), view)
            say("\n".join(forecast_lines(forecast)))
            return
        trainer = make_executor(wanted, device, output, skip)
        folder = study_folder(output, plan)
        tracker = BackgroundTracker(options.tracking_uri, output, folder, view.warn, study_tracker)
        launch = Launch(output, trainer, tracker, command_line(), skip, storage, options.watchdog, options.stop_after)
        outcome = tune(plan, launch, view)
        view.end_study(outcome)
    raise typer.Exit(closing(outcome)[1] or int(tracker.failed))


def show_status(options: LaunchOptions, name: str, storage: str | None) -> None:
    """Print every trial of a study, and what came of it."""
    from reid.cli.views.study_lines import status_document
    from reid.cli.views.study_terminal import comparison_lines, counts_text, trials_table
    from reid.studies.launch import status

    found = status(options.output, name, storage)
    if options.as_json:
        say(json.dumps(status_document(found)))
        return
    Screen().print(trials_table(found.study, found.trials))
    say(f"{counts_text(found.trials)} of {found.study.trials}")
    if found.comparison is not None:
        say("\n".join(comparison_lines(found.comparison)))
