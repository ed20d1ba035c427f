"""The most memory that a run has held."""

import resource
from pathlib import Path

import torch

CLEAR_PEAK = Path("/proc/self/clear_refs")  # Linux: "5" resets the high-water mark of resident memory


STATUS = Path("/proc/self/status")


def forget_peak_memory(device: torch.device) -> None:
    """Start counting `peak_memory` anew: a worker trains many runs."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR_PEAK.exists():
        CLEAR_PEAK.write_text("5", encoding="ascii")


def peak_memory(device: torch.device) -> int:
    """Bytes: the most this run has held, on the GPU if it trains there, else resident in its process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if STATUS.exists():
        return int(STATUS.read_text("utf-8", "replace").partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
