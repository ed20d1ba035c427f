"""Out of GPU memory: whether a neighbour took it, and what batch would fit."""

import gc
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch

from reid.data.training_images import free_memory, stay_on_host
from reid.models import build_model
from reid.recipe import Recipe
from reid.training.optimizer import build_optimizer
from reid.training.step import train_step

CONTEXT_BYTES = 2**30  # what CUDA itself takes in a process, at most; not counted among what torch reserved
UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True)
class Shortage:
    """A GPU when memory ran out, in bytes: all of it, what was free, what this process had, what it asked for."""

    total: int
    free: int
    reserved: int
    asked: int

    @classmethod
    def of(cls, error: BaseException, device: torch.device) -> Self:
        """The shortage as it is now; call it while what the run has is still there."""
        free, total = torch.cuda.mem_get_info(device)
        return cls(total, free, torch.cuda.memory_reserved(device), asked_bytes(str(error)))

    def is_a_neighbours(self) -> bool:
        """Whether the run would have fitted on the GPU alone, and others hold some of it."""
        alone = self.reserved + self.asked + CONTEXT_BYTES <= self.total
        return alone and self.total - self.free - self.reserved > CONTEXT_BYTES


def asked_bytes(words: str) -> int:
    """What "Tried to allocate 2.50 GiB" asked for, in bytes; 0 where the words do not say."""
    found = re.search(r"Tried to allocate ([\d.]+) (bytes|KiB|MiB|GiB)", words)
    return int(float(found[1]) * UNITS[found[2]]) if found else 0


def largest_fitting(asked: int, fits: Callable[[int], bool], least: int = 2) -> int | None:
    """The largest number from `least` to `asked` that fits, by bisection; None where not even `least` does."""
    if not fits(least):
        return None
    low, high = least, asked + 1  # low fits, high does not or was never asked for
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def explain_batch(recipe: Recipe, num_classes: int, images_bytes: int, device: torch.device) -> str:
    """One line that says which batch fits: two real steps are tried at each size, beside the images that lie there."""
    gc.collect()
    torch.cuda.empty_cache()
    resident = 0 if stay_on_host(images_bytes, free_memory(device)) else images_bytes
    asked, images, (height, width) = recipe.batch.identities, recipe.batch.images, recipe.image.size
    total = torch.cuda.mem_get_info(device)[1] / 2**30
    begin = f"out of GPU memory: a batch of {asked} x {images} at {height}x{width} does not fit into {total:.0f} GiB"

    def fits(identities: int) -> bool:
        return step_fits(recipe.set({"batch.identities": identities}), num_classes, resident, device)

    found = largest_fitting(asked, fits)
    if found is None:
        return f"{begin}, nor does 2 x {images}; lower batch.images or image.size"
    if found == asked:
        return f"{begin} with all else that the run keeps, though its training steps alone do; lower batch.identities"
    return f"{begin}; {found} x {images} does (tried); set batch.identities={found}"


def step_fits(recipe: Recipe, num_classes: int, resident: int, device: torch.device) -> bool:
    """Whether two training steps, the second with the optimiser's moments, succeed beside `resident` bytes."""
    gc.collect()
    torch.cuda.empty_cache()
    try:
        _two_steps(recipe, num_classes, resident, device)
    except torch.OutOfMemoryError:
        return False
    finally:
        gc.collect()
        torch.cuda.empty_cache()
    return True


def _two_steps(recipe: Recipe, num_classes: int, resident: int, device: torch.device) -> None:
    kept = torch.empty(resident, dtype=torch.uint8, device=device)
    model = build_model(recipe, num_classes)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.train()
    optimizer = build_optimizer(model.named_parameters(), recipe.optimizer, recipe.schedule.base)
    centers = torch.randn(num_classes, model.dim, device=device)
    labels = torch.arange(recipe.batch.identities, device=device).repeat_interleave(recipe.batch.images) % num_classes
    for _ in range(2):
        images = torch.randn(len(labels), 3, *recipe.image.size, device=device)
        train_step(model, optimizer, centers, images, labels, recipe, measure_conflict=True)
    del kept
