"""Features of images, and the ranking of a data set's queries by them."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from reid.data import DecodedDataset
from reid.data.augmentation import normalize
from reid.evaluation.lists import rank_lists
from reid.evaluation.ranking import Ranking, rank, rank_distances
from reid.evaluation.rerank import rerank
from reid.models import Baseline
from reid.models.baseline import Features
from reid.recipe import Recipe


def precision(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast on CUDA, float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


@torch.inference_mode()
def extract_both(model: Baseline, pixels: Any, recipe: Recipe, device: torch.device) -> Features:
    """f_t and f_i, each (N, D), float32 on `device`, of uint8 images (N, H, W, 3), from one pass.

    The mean with those of the mirrored images where the recipe asks for a flip.
    """
    model.eval()
    parts: list[Features] = []
    for start in range(0, len(pixels), recipe.evaluation.batch):
        images = torch.from_numpy(pixels[start : start + recipe.evaluation.batch]).to(device)
        with precision(device):
            found = [model.features(normalize(images, recipe.image))]
            if recipe.evaluation.flip:
                found.append(model.features(normalize(images.flip(2), recipe.image)))
        parts.append(Features(*(torch.stack(views).float().mean(0) for views in zip(*found, strict=True))))
    return Features(*(torch.cat(part) for part in zip(*parts, strict=True)))


def extract(model: Baseline, pixels: Any, recipe: Recipe, device: torch.device) -> Tensor:
    """Features (N, D), float32 on `device`, of uint8 images (N, H, W, 3): f_t or f_i, as the recipe ranks."""
    features: Tensor = getattr(extract_both(model, pixels, recipe, device), recipe.evaluation.feature)
    return features


def evaluate(model: Baseline, data: DecodedDataset, recipe: Recipe, device: torch.device) -> Ranking:
    """Rank every query of `data` against its gallery, as the recipe's evaluation says.

    Raises FloatingPointError where a feature is not finite: the model has diverged.
    """
    query, gallery = (extract(model, data.pixels[split], recipe, device) for split in ("query", "gallery"))
    if not (query.isfinite().all() and gallery.isfinite().all()):
        raise FloatingPointError("features are not finite")
    one, two = data.dataset.query, data.dataset.gallery
    owners = one.identities, two.identities, one.cameras, two.cameras
    metric, max_rank = recipe.evaluation.metric, recipe.evaluation.max_rank
    asked, found = (functional.normalize(part) if metric == "cosine" else part for part in (query, gallery))
    if not recipe.evaluation.rerank:
        ranking = rank(query, gallery, *owners, metric=metric, max_rank=max_rank)
        return replace(ranking, lists=rank_lists(data.dataset, lambda rows: torch.cdist(asked[rows], found)))
    distances = torch.as_tensor(rerank(asked, found))
    ranking = rank_distances(distances, *owners, max_rank=max_rank)
    return replace(ranking, lists=rank_lists(data.dataset, lambda rows: distances[rows]))
