"""Out of GPU memory, as far as it is arithmetic; the steps that are tried need a GPU."""

import pytest
import torch

from reid.execution.gpu_memory import Shortage, asked_bytes, explain_batch, largest_fitting, step_fits
from reid.recipe import Recipe

GIB = 2**30
WORDS = "CUDA out of memory. Tried to allocate {}. GPU 0 has a total capacity of 79.10 GiB of which 5.00 MiB is free."


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("2.50 GiB", 2.5 * GIB), ("20.00 MiB", 20 * 2**20), ("512 bytes", 512), ("1.00 KiB", 1024), ("all", 0)],
)
def test_what_was_asked_for_is_read_from_the_words(asked: str, expected: float) -> None:
    assert asked_bytes(WORDS.format(asked)) == expected


@pytest.mark.parametrize(
    ("free", "reserved", "asked", "neighbours"),
    [
        (0, 10, 2, True),  # 70 of 80 are others'
        (0, 78, 2, False),  # all of it is ours
        (1, 40, 60, False),  # others have 39, but 100 would not fit alone either
        (39, 40, 1, False),  # nobody else: fragments of our own
    ],
)
def test_whose_fault_it_is(free: int, reserved: int, asked: int, neighbours: bool) -> None:
    shortage = Shortage(80 * GIB, free * GIB, reserved * GIB, asked * GIB)
    assert shortage.is_a_neighbours() is neighbours


@pytest.mark.parametrize(("room", "found"), [(1, None), (2, 2), (11, 11), (15, 15), (16, 16), (99, 16)])
def test_the_largest_that_fits_is_found_in_few_tries(room: int, found: int | None) -> None:
    tried: list[int] = []

    def fits(identities: int) -> bool:
        tried.append(identities)
        return identities <= room

    assert largest_fitting(16, fits) == found
    assert len(tried) <= 6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_real_gpu_says_what_fits() -> None:
    device, recipe = torch.device("cuda"), Recipe().set({"backbone.pretrained": "none", "batch.identities": 64})
    assert step_fits(recipe.set({"batch.identities": 4}), 751, 2**20, device)
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(4 * GIB / total)
    try:
        assert "set batch.identities=" in explain_batch(recipe, 751, 2**20, device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
