"""`reid ablate`."""

from pathlib import Path
from typing import Annotated

import typer

from reid.cli.options import LaunchOptions, command_line, with_launch_options
from reid.cli.views.screen import Screen, say


@with_launch_options
def ablate(
    grid: Annotated[Path, typer.Argument(help="Grid file (YAML).")],
    options: LaunchOptions,
    follow_up: Annotated[
        bool, typer.Option("--follow-up", help="Of a trained fraction: add the arms that tell its aliases apart.")
    ] = False,
) -> None:
    """Train every run of a grid that has no result yet.

    Call it again after an interruption, or at the same time elsewhere: nothing is trained twice.
    """
    from reid.cli.views.grid_terminal import TerminalView, forecast_lines
    from reid.cli.views.json_lines import EventLines
    from reid.cli.views.status_table import closing
    from reid.execution.devices import chosen_device
    from reid.execution.executors.choose import expected_slots, make_executor
    from reid.grids.launch import launch, prepare, preview
    from reid.tracking.background import BackgroundTracker

    output, device, overrides, skip = options.output, options.device, options.overrides, options.skip_unreadable
    wanted = options.executor_options
    with EventLines() if options.as_json else TerminalView(Screen()) as view:
        if options.dry_run:
            at_a_time = expected_slots(wanted, device)
            forecast = preview(grid, output, overrides, skip, chosen_device(device), at_a_time, view)
            say("\n".join(forecast_lines(forecast)))
            return
        trainer = make_executor(wanted, device, output, skip)
        launched = prepare(grid, output, overrides, skip, command_line(), view, follow_up=follow_up)
        tracker = BackgroundTracker(options.tracking_uri, output, launched.folder, view.warn)
        status = launch(launched, trainer, tracker, view, options.watchdog, options.stop_after)
        view.end(status)
    raise typer.Exit(closing(status)[1] or int(tracker.failed))
