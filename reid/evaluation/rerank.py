"""k-reciprocal re-ranking (Zhong et al., CVPR 2017) without a matrix of all images against all.

Distances are made a block of rows at a time. Of each row only the nearest neighbours, its maximum and, for a query, its
gallery part are kept; neighbour sets and their weights are sparse. The memory is that of the answer (Q, G).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

BLOCK = 16 << 20  # distances held at once: 64 MB

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@torch.no_grad()
def rerank(
    query: Tensor | NDArray[Any],
    gallery: Tensor | NDArray[Any],
    k1: int = 20,
    k2: int = 6,
    lambda_: float = 0.3,
) -> Floats:
    """Re-ranked distances (Q, G) of features (Q, D) and (G, D), float32: (1 − λ) · Jaccard + λ · original.

    The original distance is the squared Euclidean one over its row's maximum; features are taken as they are, so
    normalise them first for cosine. Distances are computed on the query's device, the sets on the CPU. ValueError for
    shapes that do not fit, values that are not finite, k1 or k2 below 1, λ outside 0..1. Source: reid-strong-baseline
    utils/re_ranking.py, whose float16 weights are float32 here, as in fast-reid.
    """
    if not (k1 >= 1 and k2 >= 1 and 0 <= lambda_ <= 1):
        raise ValueError(f"k1 and k2 must be at least 1 and lambda_ in 0..1, not {k1}, {k2} and {lambda_}")
    q = torch.as_tensor(query).float()
    g = torch.as_tensor(gallery).to(q.device).float()
    if q.ndim != 2 or g.ndim != 2 or q.shape[1] != g.shape[1] or min(len(q), len(g)) == 0:
        raise ValueError(f"query (Q, D) and gallery (G, D) must share D, not {tuple(q.shape)} and {tuple(g.shape)}")
    features = torch.cat([q, g])
    if not features.isfinite().all():
        raise ValueError("features must be finite: NaN or infinity found")
    original, nearest, scale = _neighbours(features, len(q), max(k1 + 1, k2))
    weights = _weights(_expanded_sets(nearest, k1), features, scale)
    if k2 > 1:
        weights = _membership(nearest[:, :k2]) @ weights / min(k2, nearest.shape[1])
    final = _jaccard(weights.tocsr(), len(q))  # weighed in place: each of the two is as large as the answer
    final *= 1 - lambda_
    original *= lambda_
    final += original
    return final


def _neighbours(features: Tensor, queries: int, count: int) -> tuple[Floats, Indices, Tensor]:
    """Scaled distances of queries to gallery (Q, G); indices (N, count) of each image's nearest, itself included;
    and the largest distance of each image (N,), by which its row is scaled.
    """
    total = len(features)
    squares = features.square().sum(1)
    original = np.empty((queries, total - queries), np.float32)
    nearest, scale = [], []
    for start in range(0, total, step := max(1, BLOCK // total)):
        rows = slice(start, min(start + step, total))
        distances = torch.addmm(squares, features[rows], features.T, alpha=-2).add_(squares[rows, None]).clamp_(min=0)
        scale.append(distances.amax(1).clamp_min(torch.finfo(distances.dtype).tiny))
        distances /= scale[-1][:, None]
        nearest.append(distances.topk(min(count, total), largest=False).indices.cpu())
        if start < queries:
            original[rows] = distances[: queries - start, queries:].cpu().numpy()
    return original, torch.cat(nearest).numpy(), torch.cat(scale)


def _reciprocal(nearest: Indices) -> sparse.csr_array:
    """(N, N) of ones: which of each image's neighbours (N, k) also have it among theirs."""
    forward = _membership(nearest)
    both: sparse.csr_array = forward.multiply(forward.T).tocsr()
    return both


def _expanded_sets(nearest: Indices, k1: int) -> sparse.csr_array:
    """(N, N), non-zero where an image is in another's k-reciprocal set: the reciprocal ones among its k1 nearest,
    and the half-sized sets of those members whose set lies for more than two thirds in it.
    """
    members = _reciprocal(nearest[:, : k1 + 1])
    halves = _reciprocal(nearest[:, : round(k1 / 2) + 1])  # round is half to even, as the reference's
    shared = (members @ halves.T).multiply(members).tocoo()
    sizes = np.asarray(halves.sum(axis=1))
    added = 3 * shared.data > 2 * sizes[shared.col]
    accepted = sparse.csr_array((shared.data[added], (shared.row[added], shared.col[added])), shape=members.shape)
    sets: sparse.csr_array = (members + accepted @ halves).tocsr()
    return sets


def _weights(sets: sparse.csr_array, features: Tensor, scale: Tensor) -> sparse.csr_array:
    """(N, N): exp(−scaled distance) on each image's set, summing to 1."""
    member = sets.tocoo()
    row, column = (torch.from_numpy(part.astype(np.int64)).to(features.device) for part in (member.row, member.col))
    values = []
    for pairs in range(0, len(row), step := max(1, BLOCK // features.shape[1])):
        i, j = row[pairs : pairs + step], column[pairs : pairs + step]
        values.append(torch.exp(-(features[i] - features[j]).square().sum(1) / scale[i]))
    weights = sparse.csr_array((torch.cat(values).cpu().numpy(), (member.row, member.col)), shape=sets.shape)
    weights.data /= np.repeat(np.asarray(weights.sum(axis=1)), np.diff(weights.indptr))
    return weights


def _jaccard(weights: sparse.csr_array, queries: int) -> Floats:
    """1 − Σ min / Σ max of the weights of queries and gallery (Q, G); each row of weights sums to 1."""
    by_member = weights[queries:].T.tocsr()  # which gallery images have a given member in their set
    gallery = weights.shape[0] - queries
    distances = np.empty((queries, gallery), np.float32)
    for i in range(queries):
        own = slice(*weights.indptr[i : i + 2])
        others = by_member[weights.indices[own]]
        smaller = np.minimum(others.data, np.repeat(weights.data[own], np.diff(others.indptr)))
        shared = np.bincount(others.indices, smaller, gallery)
        distances[i] = 1 - shared / (2 - shared)
    return distances


def _membership(nearest: Indices | Sequence[Sequence[int]]) -> sparse.csr_array:
    """(N, N) of ones where a column is among a row's neighbours (N, k)."""
    columns = np.asarray(nearest)
    total, count = columns.shape
    ones = np.ones(columns.size, np.float32)
    return sparse.csr_array((ones, columns.ravel(), np.arange(total + 1) * count), shape=(total, total))
