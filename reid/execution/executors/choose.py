"""Which executor trains, by the words of the command line."""

from dataclasses import dataclass
from pathlib import Path

from reid.errors import InputError
from reid.execution.devices import chosen_device, plan_slots
from reid.execution.executors.base import Executor
from reid.execution.executors.local import LocalExecutor


@dataclass(frozen=True)
class ExecutorOptions:
    """`--executor` and the options that go with it; None: not given."""

    executor: str = "local"
    slots: int | None = None
    address: str | None = None
    gpus_per_run: float | None = None
    cpus_per_run: int | None = None
    slurm: tuple[str, ...] = ()
    slots_per_gpu: int | None = None

    def __post_init__(self) -> None:
        belongs = {
            "--address": "ray",
            "--gpus-per-run": "ray",
            "--cpus-per-run": "ray",
            "--slurm": "slurm",
            "--slots-per-gpu": "local",
        }
        given = {
            "--address": self.address,
            "--gpus-per-run": self.gpus_per_run,
            "--cpus-per-run": self.cpus_per_run,
            "--slurm": self.slurm or None,
            "--slots-per-gpu": self.slots_per_gpu,
        }
        for option, value in given.items():
            if value is not None and self.executor != belongs[option]:
                raise InputError(
                    f"{option}: only goes with --executor {belongs[option]}, found --executor {self.executor}"
                )


def make_executor(options: ExecutorOptions, device: str, output: Path, skip_unreadable: bool) -> Executor:
    """The executor, not yet entered. `device` is "auto", "cpu" or "cuda".

    Raises InputError where an extra is not installed or the cluster does not answer.
    """
    cache = output / "cache"
    if options.executor == "ray":
        from reid.execution.executors.ray import RayExecutor, ResourceRequest

        share = ResourceRequest(options.gpus_per_run or 1.0, options.cpus_per_run or 1)
        return RayExecutor(options.address, device, options.slots, share, cache, skip_unreadable)
    if options.executor == "slurm":
        from reid.execution.executors.slurm import SlurmExecutor

        return SlurmExecutor(options.slurm, device, options.slots, output, skip_unreadable)
    return LocalExecutor(
        plan_slots(chosen_device(device), options.slots, options.slots_per_gpu), cache, skip_unreadable
    )


def expected_slots(options: ExecutorOptions, device: str) -> int:
    """How many runs would train at a time, for a forecast; of a cluster this machine knows what it was told."""
    if options.executor != "local" and options.slots is not None:
        return options.slots
    return len(plan_slots(chosen_device(device), options.slots, options.slots_per_gpu))
