"""Features of images, and the ranking of a data set's queries by them."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from reid.data import Dataset, DecodedDataset
from reid.data.augmentation import normalize
from reid.evaluation.rank_lists import rank_lists
from reid.evaluation.ranking import Ranking, rank, rank_distances, with_directions
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


class TestFeatures(NamedTuple):
    """Both features of the images that a data set is tested on."""

    query: Features
    gallery: Features


def extract_test(model: Baseline, data: DecodedDataset, recipe: Recipe, device: torch.device) -> TestFeatures:
    """Both features of query and gallery. Raises FloatingPointError where one is not finite: the model has diverged."""
    found = TestFeatures(*(extract_both(model, data.pixels[split], recipe, device) for split in TestFeatures._fields))
    if not all(bool(feature.isfinite().all()) for split in found for feature in split):
        raise FloatingPointError("features are not finite")
    return found


def evaluate(model: Baseline, data: DecodedDataset, recipe: Recipe, device: torch.device) -> Ranking:
    """Rank every query of `data` against its gallery, as the recipe's evaluation says.

    Raises FloatingPointError as `extract_test` does.
    """
    return rank_extracted(extract_test(model, data, recipe, device), data.dataset, recipe)


def rank_extracted(found: TestFeatures, dataset: Dataset, recipe: Recipe) -> Ranking:
    """The same from features that are there already."""
    query, gallery = (getattr(part, recipe.evaluation.feature) for part in found)
    one, two = dataset.query, dataset.gallery
    owners = one.identities, two.identities, one.cameras, two.cameras
    metric, max_rank = recipe.evaluation.metric, recipe.evaluation.max_rank
    asked, ranked = query, gallery
    if metric == "cosine":
        asked, ranked = map(functional.normalize, with_directions(query, gallery))
    if not recipe.evaluation.rerank:
        ranking = rank(query, gallery, *owners, metric=metric, max_rank=max_rank)
        return replace(ranking, lists=rank_lists(dataset, lambda rows: torch.cdist(asked[rows], ranked)))
    knobs = recipe.evaluation.rerank_k1, recipe.evaluation.rerank_k2, recipe.evaluation.rerank_lambda
    distances = torch.as_tensor(rerank(asked, ranked, *knobs))
    ranking = rank_distances(distances, *owners, max_rank=max_rank)
    return replace(ranking, lists=rank_lists(dataset, lambda rows: distances[rows]))
