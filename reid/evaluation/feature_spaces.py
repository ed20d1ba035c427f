"""The two features of the paper, before and after the neck, each under both distances, from one pass."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from reid.data import Dataset
from reid.evaluation.clusters import cluster_measures, verification
from reid.evaluation.features import TestFeatures
from reid.evaluation.ranking import Ranking, rank, with_directions
from reid.models.baseline import Features
from reid.recipe import Recipe
from reid.seeding import numpy_generator

Metric = Literal["euclidean", "cosine"]
METRICS: tuple[Metric, ...] = get_args(Metric)
SPACES = tuple(f"{feature}_{metric}" for feature in Features._fields for metric in METRICS)
SHOWN_IDENTITIES = 10
SHOWN_IMAGES = 8  # of each


@dataclass(frozen=True)
class FeatureSpaces:
    """By space (`before_euclidean` … `after_cosine`): the ranking, and the measures of clusters and verification.

    `shown` holds features `before` and `after` (N, D), `identities` and `cameras` (N,) of a few test identities, for a
    picture. Without a neck both features are one and so are their numbers.
    """

    rankings: dict[str, Ranking]
    clusters: dict[str, dict[str, float]]
    shown: dict[str, NDArray[Any]]


def measure_spaces(found: TestFeatures, dataset: Dataset, recipe: Recipe) -> FeatureSpaces:
    """All four spaces of a trained network, from its features of the images it is tested on; never re-ranked."""
    query, gallery = found
    rankings: dict[str, Ranking] = {}
    clusters: dict[str, dict[str, float]] = {}
    for feature in Features._fields:
        pair = getattr(query, feature), getattr(gallery, feature)
        for metric in METRICS:
            space = f"{feature}_{metric}"
            if feature == "after" and recipe.neck.kind == "none":
                rankings[space], clusters[space] = rankings[f"before_{metric}"], clusters[f"before_{metric}"]
            else:
                rankings[space] = _rank(*pair, dataset, recipe, metric)
                clusters[space] = _clusters(*pair, dataset, metric)
    return FeatureSpaces(rankings, clusters, _shown(query, gallery, dataset))


def _rank(query: Tensor, gallery: Tensor, dataset: Dataset, recipe: Recipe, metric: Metric) -> Ranking:
    one, two = dataset.query, dataset.gallery
    return rank(
        query, gallery, one.identities, two.identities, one.cameras, two.cameras,
        metric=metric, max_rank=recipe.evaluation.max_rank,
    )  # fmt: skip


def _clusters(query: Tensor, gallery: Tensor, dataset: Dataset, metric: Metric) -> dict[str, float]:
    if metric == "cosine":
        query, gallery = map(functional.normalize, with_directions(query, gallery))
    known = np.flatnonzero(~dataset.distractors)
    somebody = gallery[torch.from_numpy(known).to(gallery.device)]
    features = torch.cat([query, somebody]).double().cpu().numpy()
    identities = np.concatenate([dataset.query.identities, dataset.gallery.identities[known]])
    return cluster_measures(features, identities) | verification(query, gallery, dataset.query, dataset.gallery)


def _shown(query: Features, gallery: Features, dataset: Dataset) -> dict[str, NDArray[Any]]:
    """Features of identities and images drawn by a fixed stream: the same for every run on a data set."""
    identities, cameras = (
        np.concatenate([getattr(split, name) for split in (dataset.query, dataset.gallery)])
        for name in ("identities", "cameras")
    )
    stream = numpy_generator(0, "identities of the picture")
    names = np.unique(dataset.query.identities)
    chosen = np.sort(stream.permutation(names)[:SHOWN_IDENTITIES])
    rows = np.concatenate([stream.permutation(np.flatnonzero(identities == name))[:SHOWN_IMAGES] for name in chosen])
    both = {
        name: torch.cat([getattr(query, name), getattr(gallery, name)])[torch.from_numpy(rows).to(query.before.device)]
        for name in Features._fields
    }
    pictured = {name: part.cpu().numpy() for name, part in both.items()}
    return {**pictured, "identities": identities[rows], "cameras": cameras[rows]}
