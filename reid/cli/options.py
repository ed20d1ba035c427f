"""Options that several commands have in common."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer
from pydantic import JsonValue

from reid.cli.views.screen import say
from reid.shown import hide_uri

if TYPE_CHECKING:  # it imports torch
    from reid.execution.executors.choose import ExecutorOptions

Output = Annotated[Path, typer.Option(help="Folder of runs, grids, studies, caches and the embedded MLflow store.")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: CUDA where there is one.")]
Skip = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave out images that cannot be read; the report counts them.")
]
CamerasKnown = Annotated[
    Literal["labelled", "none"],
    typer.Option("--cameras", help="none: for data without any; all images of a query's identity but itself match."),
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of the base recipe.")
]
TrackingUri = Annotated[
    str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow server; default: SQLite in the output folder.")
]
Slots = Annotated[int | None, typer.Option(min=1, help="Runs at a time on the CPU; default: one a core.")]
SlotsPerGpu = Annotated[int | None, typer.Option(min=1, help="Runs at a time on each visible GPU; default: 1.")]
Watchdog = Annotated[
    float, typer.Option(min=1, metavar="SECONDS", help="A run without progress for so long is ended and tried again.")
]
StopAfter = Annotated[int, typer.Option(min=1, help="End the launch when so many runs in a row failed alike.")]
ExecutorName = Annotated[
    Literal["local", "ray", "slurm"], typer.Option(help="Where runs train: here, on a Ray cluster, as Slurm jobs.")
]
Address = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Ray: head of the cluster; default: one of its own, here.")
]
GpusPerRun = Annotated[float | None, typer.Option(min=0.01, max=1, help="Ray: 0.5 lets two runs share a GPU.")]
CpusPerRun = Annotated[int | None, typer.Option(min=1, help="Ray: CPUs, and threads, of a run.")]
SlurmWords = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Slurm: partition=gpu, gpus_per_node=1, time=600, ...")
]
Json = Annotated[bool, typer.Option("--json", help="Print a line of JSON an event.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it costs and can see; train nothing.")]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE.py", help="Your own tricks, losses, backbones, layouts or metrics."),
]
OUTPUT = Path("output")


@dataclass(frozen=True)
class LaunchOptions:
    """Options of every command that trains many runs."""

    output: Output = OUTPUT
    device: Device = "auto"
    slots: Slots = None
    slots_per_gpu: SlotsPerGpu = None
    assignments: Assignments = None
    plugins: Plugins = None
    skip_unreadable: Skip = False
    tracking_uri: TrackingUri = None
    executor: ExecutorName = "local"
    address: Address = None
    gpus_per_run: GpusPerRun = None
    cpus_per_run: CpusPerRun = None
    slurm: SlurmWords = None
    watchdog: Watchdog = 3600
    stop_after: StopAfter = 5
    as_json: Json = False
    dry_run: DryRun = False

    @property
    def executor_options(self) -> "ExecutorOptions":
        """What is asked of the executor. Raises InputError for options that do not go together."""
        from reid.execution.executors.choose import ExecutorOptions

        return ExecutorOptions(
            self.executor,
            self.slots,
            self.address,
            self.gpus_per_run,
            self.cpus_per_run,
            tuple(self.slurm or ()),
            self.slots_per_gpu,
        )

    @property
    def overrides(self) -> dict[str, JsonValue]:
        """Fields of the base recipe that `--set` replaces. Raises InputError for an unknown one."""
        from reid.recipe.overrides import parse_assignments

        return parse_assignments(self.assignments or [])


def with_launch_options(command: Callable[..., None]) -> Callable[..., None]:
    """`command`, whose parameter `options` is a LaunchOptions, with an option for every field of it instead."""
    names = [field.name for field in fields(LaunchOptions)]
    hints = get_type_hints(LaunchOptions, include_extras=True)
    own = [each for each in signature(command).parameters.values() if each.name != "options"]
    shared = [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
        for field in fields(LaunchOptions)
    ]

    @wraps(command)
    def called(**given: Any) -> None:
        options = LaunchOptions(**{name: given.pop(name) for name in names})
        use_plugins(options.plugins)
        command(options=options, **given)

    called.__signature__ = Signature([*own, *shared])  # type: ignore[attr-defined]
    return called


def use_plugins(files: list[Path] | None) -> None:
    """Load the plugins that are installed, and those of `--plugin`."""
    from reid.registry import load_asked

    load_asked(files or [], "--plugin")


def tell_damaged(output: Path) -> None:
    """Say on standard error which grids and studies are passed over, because what they are cannot be read."""
    from reid.store.lookup import damaged_plans

    for line in damaged_plans(output):
        say(f"note: {line}", err=True)


def command_line() -> str:
    """The command as it was given but for passwords, for plans and folders to say."""
    return shlex.join(["reid", *map(hide_uri, sys.argv[1:])])
