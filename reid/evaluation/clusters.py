"""How tight and how far apart identities lie in a feature space: what tracking needs and ranking ignores."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reid.data.dataset import Split

Floats = NDArray[np.float64]
CLUSTERS = ("intra", "inter", "ratio", "silhouette", "davies_bouldin")
VERIFICATION = ("tpr_at_fpr", "eer")
FALSE_POSITIVES = 1e-3  # the rate of tpr_at_fpr
MOST_IMAGES = 4000  # of the silhouette, whose cost is quadratic; drawn by a fixed seed
MOST_PAIRS = 20_000_000  # of the verification; above, evenly spaced queries


def cluster_measures(features: Floats, identities: NDArray[np.int64]) -> dict[str, float]:
    """CLUSTERS of features (N, D) with identities (N,), by Euclidean distance; unit vectors give the cosine's view.

    `intra`: distance of an image to its identity's centre, mean over images, then over identities. `inter`: mean
    distance between two identities' centres. `ratio`: intra / inter, lower is tighter. `silhouette` (-1..1, higher is
    better) and `davies_bouldin` (lower is better) are scikit-learn's. Identity 0, the distractors, is nobody and left
    out. All NaN with fewer than two identities.
    """
    from sklearn.metrics import davies_bouldin_score, silhouette_score  # a second of import, for who evaluates only

    features, identities = features[identities > 0], identities[identities > 0]
    names, label = np.unique(identities, return_inverse=True)
    if len(names) < 2:
        return dict.fromkeys(CLUSTERS, math.nan)
    counts = np.bincount(label)
    centers = np.zeros((len(names), features.shape[1]))
    np.add.at(centers, label, features)
    centers /= counts[:, None]
    to_center = np.linalg.norm(features - centers[label], axis=1)
    intra = float((np.bincount(label, to_center) / counts).mean())
    inter = float(torch.pdist(torch.from_numpy(centers)).mean())
    sample = MOST_IMAGES if len(features) > MOST_IMAGES else None
    return {
        "intra": intra,
        "inter": inter,
        "ratio": intra / inter if inter > 0 else math.nan,
        "silhouette": float(silhouette_score(features, label, sample_size=sample, random_state=0)),
        "davies_bouldin": float(davies_bouldin_score(features, label)),
    }


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
