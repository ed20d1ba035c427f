"""Options that several commands have in common."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

Output = Annotated[Path, typer.Option(help="Folder of runs, grids, studies, caches and the embedded MLflow store.")]
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
OUTPUT = Path("output")


def command_line() -> str:
    """The command as it was given, for plans and folders to say."""
    return shlex.join(["reid", *sys.argv[1:]])
