"""How tight and how far apart identities lie in a feature space: what tracking needs and ranking ignores."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reid.data.dataset import Split

Floats = NDArray[np.float64]
CLUSTERS = ("intra", "inter", "ratio", "silhouette", "davies_bouldin")
VERIFICATION = ("tpr_at_fpr", "eer")
FALSE_POSITIVES = 1e-3  # the rate of tpr_at_fpr
MOST_IMAGES = 2000  # whose silhouettes are taken, each against all images; above, drawn by a fixed seed
MOST_IDENTITIES = 4000  # whose centres are compared, each with each; above, drawn by a fixed seed
MOST_PAIRS = 20_000_000  # of the verification; above, evenly spaced queries
BLOCK = 4 << 20  # distances held at once: 32 MB


def cluster_measures(features: Floats, identities: NDArray[np.int64]) -> dict[str, float]:
    """CLUSTERS of features (N, D) with identities (N,), by Euclidean distance; unit vectors give the cosine's view.

    `intra`: distance of an image to its identity's centre, mean over images, then over identities. `inter`: mean
    distance between two identities' centres. `ratio`: intra / inter, lower is tighter. `silhouette` (-1..1, higher is
    better; 0 for an image that is its identity's only one) and `davies_bouldin` (lower is better) are scikit-learn's.

    Up to MOST_IMAGES images and MOST_IDENTITIES identities all are exact. Above, the silhouette is the mean of so many
    images, `inter` and `davies_bouldin` are those of so many identities, drawn alike for every run: memory stays that
    of the features. All are NaN with fewer than two identities, all but `inter` where nobody is seen twice.
    """
    names, label = np.unique(identities, return_inverse=True)
    if len(names) < 2:
        return dict.fromkeys(CLUSTERS, math.nan)
    counts = np.bincount(label)
    centers = np.zeros((len(names), features.shape[1]))
    np.add.at(centers, label, features)
    centers /= counts[:, None]
    scatter = np.bincount(label, np.linalg.norm(features - centers[label], axis=1)) / counts
    chosen = _drawn(len(names), MOST_IDENTITIES)
    inter, davies_bouldin = _between(centers[chosen], scatter[chosen])
    if len(names) == len(features):
        return {**dict.fromkeys(CLUSTERS, math.nan), "inter": inter}
    intra = float(scatter.mean())
    return {
        "intra": intra,
        "inter": inter,
        "ratio": intra / inter if inter > 0 else math.nan,
        "silhouette": _silhouette(features, label),
        "davies_bouldin": davies_bouldin,
    }


def _drawn(count: int, most: int) -> NDArray[np.int64]:
    """Positions of `most` of `count` at most."""
    return np.random.default_rng(0).permutation(count)[:most] if count > most else np.arange(count)


def _distances(some: Floats, every: Floats) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Positions in `some` (B,) and their distances (B, N) to `every`, a block at a time."""
    for rows in np.array_split(np.arange(len(some)), math.ceil(len(some) * len(every) / BLOCK)):
        yield rows, torch.cdist(torch.from_numpy(some[rows]), torch.from_numpy(every)).numpy()


def _between(centers: Floats, scatter: Floats) -> tuple[float, float]:
    """Mean distance of two centres, and the Davies–Bouldin index (1979) of clusters that scatter so far about them."""
    total, worst = 0.0, []
    for rows, distances in _distances(centers, centers):
        distances[np.arange(len(rows)), rows] = 0
        total += float(distances.sum())
        distances[distances == 0] = np.inf
        worst.append(((scatter[rows, None] + scatter) / distances).max(axis=1))
    count = len(centers)
    return total / (count * (count - 1)), float(np.concatenate(worst).mean())


def _silhouette(features: Floats, label: NDArray[np.int64]) -> float:
    """Mean silhouette (Rousseeuw 1987) of images with labels 0 to K−1."""
    order = np.argsort(label, kind="stable")
    features, label = features[order], label[order]
    counts = np.bincount(label)
    first = np.cumsum(counts) - counts
    chosen = _drawn(len(features), MOST_IMAGES)
    found = []
    for rows, distances in _distances(features[chosen], features):
        mine, own = np.arange(len(rows)), label[chosen[rows]]
        distances[mine, chosen[rows]] = 0
        means = np.add.reduceat(distances, first, axis=1)
        inside = means[mine, own] / np.maximum(counts[own] - 1, 1)
        means /= counts
        means[mine, own] = np.inf
        nearest = means.min(axis=1)
        wider = np.maximum(inside, nearest)
        found.append(np.where((counts[own] > 1) & (wider > 0), (nearest - inside) / np.where(wider > 0, wider, 1), 0))
    return float(np.concatenate(found).mean())


def verification(query: Tensor, gallery: Tensor, queries: Split, items: Split) -> dict[str, float]:
    """VERIFICATION of query (Q, D) against gallery features (G, D): are two images of one identity?

    Pairs of one identity and one camera are left out, as in the ranking; distractors are somebody else. `tpr_at_fpr`:
    share of same-identity pairs accepted by the Euclidean threshold that accepts at most 1 in 1000 of the others.
    `eer`: the error where as large a share of the one is refused as of the other accepted. NaN without a
    same-identity pair.
    """
    kept = np.arange(0, len(queries), max(1, math.ceil(len(queries) * len(items) / MOST_PAIRS)))
    distances = torch.cdist(query[torch.from_numpy(kept).to(query.device)], gallery).cpu().numpy()
    same = queries.identities[kept, None] == items.identities
    elsewhere = queries.cameras[kept, None] != items.cameras
    positive, negative = np.sort(distances[same & elsewhere]), np.sort(distances[~same])
    if not len(positive) or not len(negative):
        return dict.fromkeys(VERIFICATION, math.nan)
    threshold = negative[int(FALSE_POSITIVES * len(negative))]
    thresholds = np.concatenate([positive, negative[:: max(1, len(negative) // 100_000)]])
    refused = 1 - np.searchsorted(positive, thresholds, "right") / len(positive)
    accepted = np.searchsorted(negative, thresholds, "right") / len(negative)
    nearest = np.abs(refused - accepted).argmin()
    return {
        "tpr_at_fpr": float((positive < threshold).mean()),
        "eer": float(refused[nearest] + accepted[nearest]) / 2,
    }
