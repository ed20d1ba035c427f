"""Batched augmentation on the device that holds the images.

Draws are small CPU tensors made per epoch from named streams, so a CPU and a GPU see the same crops for one seed,
and an arm with erasing on sees the same flips and crops as one with it off.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reid.recipe import ColorJitter, Erasing, Image, Recipe
from reid.seeding import numpy_generator

ERASING_TRIES = 100


@dataclass(frozen=True)
class Draws:
    """What happens to each of N images: flip (N,) bool, crop corner (N, 2) and erased rectangle (N, 4); and seeds (N,)
    for AutoAugment and colour jitter, -1 where an image is left alone.
    """

    flip: Tensor
    crop: Tensor
    erase: Tensor
    auto_augment: Tensor
    color_jitter: Tensor

    def part(self, start: int, stop: int, device: torch.device) -> "Draws":
        """The draws of some images, on `device` but for the seeds, which stay on the CPU."""
        flip, crop, erase = (whole[start:stop].to(device) for whole in (self.flip, self.crop, self.erase))
        return Draws(flip, crop, erase, self.auto_augment[start:stop], self.color_jitter[start:stop])


def draw(recipe: Recipe, count: int, seed: int, epoch: int) -> Draws:
    """The draws for the `count` images of one epoch, in the order they are trained on."""
    augmentation = recipe.augmentation
    flip = numpy_generator(seed, "flips", epoch).random(count) < augmentation.flip
    crop = numpy_generator(seed, "crops", epoch).integers(0, 2 * augmentation.pad + 1, (count, 2))
    erase = erasing_rectangles(recipe.erasing, recipe.image.size, count, numpy_generator(seed, "erasing", epoch))
    policy = _seeds(augmentation.auto_augment, count, numpy_generator(seed, "AutoAugment", epoch))
    jitter = _seeds(recipe.color_jitter.probability, count, numpy_generator(seed, "colour jitter", epoch))
    return Draws(torch.from_numpy(flip), torch.from_numpy(crop), torch.from_numpy(erase), policy, jitter)


def _seeds(probability: float, count: int, generator: np.random.Generator) -> Tensor:
    """A seed (N,) for each image with the probability, else -1."""
    seeds = generator.integers(0, 2**63, count)
    return torch.from_numpy(np.where(generator.random(count) < probability, seeds, -1))


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


def transform_each(images: Tensor, seeds: Tensor, transform: Callable[[Tensor], Tensor]) -> Tensor:
    """uint8 images (B, H, W, 3) with a torchvision transform applied, one by one, to those with a seed (B,) ≥ 0.

    torchvision draws from torch's global generator, which is seeded for each image and then left as it was.
    """
    chosen = [(i, seed) for i, seed in enumerate(seeds.tolist()) if seed >= 0]
    if not chosen:
        return images
    images = images.clone()
    state = torch.default_generator.get_state()
    for i, seed in chosen:
        torch.default_generator.manual_seed(seed)
        images[i] = transform(images[i].permute(2, 0, 1)).permute(1, 2, 0)
    torch.default_generator.set_state(state)
    return images


def _auto_augment(image: Tensor) -> Tensor:
    """A uint8 image (3, H, W) by a policy that torchvision draws (Cubuk et al. 2019, learned on ImageNet)."""
    from torchvision.transforms import AutoAugment  # a second of import, for who uses it only

    found: Tensor = AutoAugment()(image)
    return found


def _distort(image: Tensor, jitter: ColorJitter) -> Tensor:
    """A uint8 image (3, H, W) with its colours distorted within the recipe's ranges."""
    from torchvision.transforms import ColorJitter as Distortion

    found: Tensor = Distortion(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)(image)
    return found


def augment(images: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Training images: uint8 (B, H, W, 3) to augmented, normalised float32 (B, 3, H, W).

    In fast-reid's order: AutoAugment (Cubuk et al. 2019, ImageNet policy), flip and crop, colour jitter, erasing.
    """
    images = transform_each(images, draws.auto_augment, _auto_augment)
    images = flip_and_crop(images, draws.flip, draws.crop, recipe.augmentation.pad)
    images = transform_each(images, draws.color_jitter, lambda image: _distort(image, recipe.color_jitter))
    return erase(normalize(images, recipe.image), draws.erase, erasing_fill(recipe))


def erasing_fill(recipe: Recipe) -> tuple[float, float, float]:
    """The colour that erasing writes into a normalised image: `fill` as it is, or normalised where it comes before."""
    if recipe.erasing.when == "after":
        return recipe.erasing.fill
    image = recipe.image
    red, green, blue = (
        (fill - mean) / std for fill, mean, std in zip(recipe.erasing.fill, image.mean, image.std, strict=True)
    )
    return red, green, blue
