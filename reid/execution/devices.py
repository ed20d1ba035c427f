"""Which devices train, and how many runs on each."""

import os

import torch

from reid.errors import InputError


def chosen_device(device: str) -> str:
    """ "cpu" or "cuda" for "auto", "cpu" or "cuda". Raises InputError for "cuda" where there is none."""
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device is available; use --device cpu")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def plan_slots(device: str, slots: int | None, slots_per_gpu: int | None = None) -> list[str]:
    """A device for every slot: `slots` on the "cpu" (default: a core each), `slots_per_gpu` (default 1) on "cuda".

    Raises InputError for the one that the device does not go by.
    """
    if device == "cpu":
        if slots_per_gpu is not None:
            raise InputError(f"--slots-per-gpu {slots_per_gpu}: this trains on the CPU; use --slots")
        return ["cpu"] * (slots or usable_cores())
    if slots is not None:
        raise InputError(f"--slots {slots}: this trains on GPUs, one run on each; use --slots-per-gpu for more")
    names = visible_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"), torch.cuda.device_count())
    return [f"cuda:{name}" for name in names for _ in range(slots_per_gpu or 1)]


def visible_gpus(variable: str | None, count: int) -> list[str]:
    """Names of the `count` GPUs that CUDA sees: of CUDA_VISIBLE_DEVICES it heeds those before the first unknown one."""
    return [str(index) for index in range(count)] if variable is None else variable.replace(" ", "").split(",")[:count]


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
