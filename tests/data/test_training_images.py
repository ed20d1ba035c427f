"""Where training images lie, and that it changes nothing."""

import numpy as np
import pytest
import torch

from reid.data.training_images import TrainingImages, free_memory, stay_on_host

CPU = torch.device("cpu")
GIB = 2**30


@pytest.mark.parametrize(
    ("size", "free", "on_host"),
    [
        (0, 0, False),
        (39 * GIB, 80 * GIB, False),
        (40 * GIB, 80 * GIB, False),
        (40 * GIB + 1, 80 * GIB, True),
        (GIB, GIB, True),  # a neighbour holds the rest
        (10**15, None, False),  # on a CPU they are in host memory already
    ],
)
def test_the_rule(size: int, free: int | None, on_host: bool) -> None:
    assert stay_on_host(size, free) == on_host


def test_batches_are_the_same_from_either_place(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (30, 4, 2, 3), dtype=np.uint8)
    epoch = random.permutation(30).reshape(5, 6)
    resident = TrainingImages(pixels, CPU)
    assert resident.resident is not None
    monkeypatch.setattr("reid.data.training_images.free_memory", lambda _: pixels.nbytes)
    hosted = TrainingImages(pixels, CPU)
    assert hosted.resident is None
    both = list(zip(resident.batches(epoch), hosted.batches(epoch), epoch, strict=True))
    for (one, mine), (two, theirs), row in both:
        assert one.tolist() == two.tolist() == row.tolist()
        assert torch.equal(mine, theirs)
        assert torch.equal(mine, torch.from_numpy(pixels[row]))
    assert len(both) == 5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cuda")
    free = free_memory(device)
    assert free is not None
    assert 0 < free <= torch.cuda.mem_get_info(device)[1]
    pixels = np.random.default_rng(0).integers(0, 256, (30, 4, 2, 3), dtype=np.uint8)
    epoch = np.arange(30).reshape(5, 6)
    resident = [images.cpu() for _, images in TrainingImages(pixels, device).batches(epoch)]
    monkeypatch.setattr("reid.data.training_images.free_memory", lambda _: 0)
    hosted = [images.cpu() for _, images in TrainingImages(pixels, device).batches(epoch)]
    assert all(torch.equal(one, two) for one, two in zip(resident, hosted, strict=True))
