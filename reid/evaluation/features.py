"""Features of images, and the ranking of a data set's queries by them."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from reid.data import DecodedDataset
from reid.data.augmentation import normalize
from reid.evaluation.ranking import Ranking, rank
from reid.models import Baseline
from reid.recipe import Recipe


def precision(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast on CUDA, float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


@torch.inference_mode()
def extract(model: Baseline, pixels: Any, recipe: Recipe, device: torch.device) -> Tensor:
    """Features (N, D), float32 on `device`, of uint8 images (N, H, W, 3): f_t or f_i, as the recipe ranks."""
    model.eval()
    parts: list[Tensor] = []
    for start in range(0, len(pixels), recipe.evaluation.batch):
        images = torch.from_numpy(pixels[start : start + recipe.evaluation.batch]).to(device)
        with precision(device):
            parts.append(model(normalize(images, recipe.image)).float())
    return torch.cat(parts)


def evaluate(model: Baseline, data: DecodedDataset, recipe: Recipe, device: torch.device) -> Ranking:
    """Rank every query of `data` against its gallery, as the recipe's evaluation says.

    Raises FloatingPointError where a feature is not finite: the model has diverged.
    """
    query, gallery = (extract(model, data.pixels[split], recipe, device) for split in ("query", "gallery"))
    if not (query.isfinite().all() and gallery.isfinite().all()):
        raise FloatingPointError("features are not finite")
    return rank(
        query,
        gallery,
        data.dataset.query.identities,
        data.dataset.gallery.identities,
        data.dataset.query.cameras,
        data.dataset.gallery.cameras,
        metric=recipe.evaluation.metric,
        max_rank=recipe.evaluation.max_rank,
    )
