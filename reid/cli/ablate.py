"""`reid ablate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reid.cli.options import (
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
    from reid.cli.views.grid_terminal import TerminalView, forecast_lines
    from reid.cli.views.json_lines import EventLines
    from reid.cli.views.status_table import closing
    from reid.execution.devices import chosen_device
    from reid.execution.executors.choose import ExecutorOptions, expected_slots, make_executor
    from reid.grids.launch import launch, prepare, preview
    from reid.recipe.overrides import parse_assignments
    from reid.tracking.background import BackgroundTracker

    fields = parse_assignments(assignments or [])
    options = ExecutorOptions(executor, slots, address, gpus_per_run, cpus_per_run, tuple(slurm or ()), slots_per_gpu)
    with EventLines() if as_json else TerminalView(Console()) as view:
        if dry_run:
            at_a_time = expected_slots(options, device)
            forecast = preview(grid, output, fields, skip_unreadable, chosen_device(device), at_a_time, view)
            typer.echo("\n".join(forecast_lines(forecast)))
            return
        trainer = make_executor(options, device, output, skip_unreadable)
        launched = prepare(grid, output, fields, skip_unreadable, command_line(), view)
        tracker = BackgroundTracker(tracking_uri, output, launched.folder, view.warn)
        status = launch(launched, trainer, tracker, view, watchdog, stop_after)
        view.end(status)
    raise typer.Exit(closing(status)[1])
