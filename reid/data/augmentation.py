"""Batched augmentation on the device that holds the images.

Draws are small CPU tensors made per epoch from named streams, so a CPU and a GPU see the same crops for one seed,
and an arm with erasing on sees the same flips and crops as one with it off.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reid.recipe import Erasing, Image, Recipe
from reid.streams import numpy_generator

ERASING_TRIES = 100


@dataclass(frozen=True)
class Draws:
    """What happens to each of N images: flip (N,) bool, crop corner (N, 2) and erased rectangle (N, 4)."""

    flip: Tensor
    crop: Tensor
    erase: Tensor


def draw(recipe: Recipe, count: int, seed: int, epoch: int) -> Draws:
    """The draws for the `count` images of one epoch, in the order they are trained on."""
    augmentation = recipe.augmentation
    flip = numpy_generator(seed, "flips", epoch).random(count) < augmentation.flip
    crop = numpy_generator(seed, "crops", epoch).integers(0, 2 * augmentation.pad + 1, (count, 2))
    erase = erasing_rectangles(recipe.erasing, recipe.image.size, count, numpy_generator(seed, "erasing", epoch))
    return Draws(torch.from_numpy(flip), torch.from_numpy(crop), torch.from_numpy(erase))


def erasing_rectangles(
    erasing: Erasing, size: tuple[int, int], count: int, generator: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(N, 4) rectangles top, left, height, width; height and width 0 where nothing is erased.

    Per image: with the probability, the first of 100 tries (area, aspect) whose rectangle is smaller than the image,
    at a uniform place. Source: Zhong et al. 2017; reid-strong-baseline RandomErasing.
    """
    height, width = size
    rectangles = np.zeros((count, 4), dtype=np.int64)
    chosen = np.flatnonzero(generator.random(count) < erasing.probability)
    for index in chosen:
        area = generator.uniform(*erasing.area, ERASING_TRIES) * height * width
        aspect = generator.uniform(erasing.aspect, 1 / erasing.aspect, ERASING_TRIES)
        h, w = np.rint(np.sqrt(area * aspect)).astype(int), np.rint(np.sqrt(area / aspect)).astype(int)
        fits = np.flatnonzero((h < height) & (w < width))
        if len(fits):
            h, w = h[fits[0]], w[fits[0]]
            rectangles[index] = generator.integers(0, height - h + 1), generator.integers(0, width - w + 1), h, w
    return rectangles


def normalize(images: Tensor, image: Image) -> Tensor:
    """uint8 images (B, H, W, 3) to normalised float32 (B, 3, H, W), channels last in memory."""
    mean = torch.tensor(image.mean, device=images.device)
    std = torch.tensor(image.std, device=images.device)
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)


def flip_and_crop(images: Tensor, flip: Tensor, crop: Tensor, pad: int) -> Tensor:
    """uint8 images (B, H, W, 3), flipped where asked, padded with black by `pad` and cropped back at `crop` (B, 2)."""
    batch, height, width, _ = images.shape
    device = images.device
    images = torch.where(flip[:, None, None, None], images.flip(2), images)
    padded = functional.pad(images, (0, 0, pad, pad, pad, pad))
    rows = crop[:, 0, None] + torch.arange(height, device=device)
    columns = crop[:, 1, None] + torch.arange(width, device=device)
    return padded[torch.arange(batch, device=device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def erase(images: Tensor, rectangles: Tensor, fill: tuple[float, float, float]) -> Tensor:
    """Images (B, 3, H, W) with each one's rectangle (B, 4) filled by a constant colour."""
    _, _, height, width = images.shape
    top, left, h, w = rectangles.T[:, :, None]
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    inside_rows = (rows >= top) & (rows < top + h)
    inside_columns = (columns >= left) & (columns < left + w)
    mask = (inside_rows[:, :, None] & inside_columns[:, None, :])[:, None]
    return torch.where(mask, torch.tensor(fill, device=images.device, dtype=images.dtype)[:, None, None], images)


def augment(images: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Training images: uint8 (B, H, W, 3) to augmented, normalised float32 (B, 3, H, W)."""
    cropped = flip_and_crop(images, draws.flip, draws.crop, recipe.augmentation.pad)
    return erase(normalize(cropped, recipe.image), draws.erase, recipe.erasing.fill)
