"""Where the images of a training lie: on its device, or in host memory where they would crowd the training out."""

from collections.abc import Iterator

import torch
from torch import Tensor

from reid.data.dataset import Integers
from reid.data.decode import Pixels

SHARE = 0.5  # of a GPU's free memory: the other half is for the training itself


def stay_on_host(size: int, free: int | None) -> bool:
    """The rule: images of `size` bytes stay in host memory where they take more than half of the `free` bytes of the
    device, None on a CPU, which is the host.
    """
    return free is not None and size > SHARE * free


def free_memory(device: torch.device) -> int | None:
    """Bytes that are free on a GPU, by whomever the others are held; None on a CPU."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None


class TrainingImages:
    """The images (N, H, W, 3) that a training draws its batches from, wherever they lie: the batches are the same."""

    def __init__(self, pixels: Pixels, device: torch.device) -> None:
        self.pixels = pixels
        self.device = device
        on_host = stay_on_host(pixels.nbytes, free_memory(device))
        self.resident = None if on_host else torch.from_numpy(pixels).to(device)

    def batches(self, epoch: Integers) -> Iterator[tuple[Tensor, Tensor]]:
        """Positions (B,) and images (B, H, W, 3) on the device, for each row of positions (steps, B).

        From host memory a batch is gathered into a pinned buffer, whose copy the GPU awaits and the host does not.
        """
        for row, positions in zip(epoch, torch.from_numpy(epoch).to(self.device), strict=True):
            if self.resident is not None:
                yield positions, self.resident[positions]
                continue
            images = torch.from_numpy(self.pixels[row])
            if self.device.type == "cuda":
                images = images.pin_memory()
            yield positions, images.to(self.device, non_blocking=True)
