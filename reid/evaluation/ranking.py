"""Exact retrieval evaluation by the Market-1501 protocol (Zheng et al., ICCV 2015): CMC, mAP, mINP.

A gallery item with the query's identity and the query's camera is removed; what is left of that identity is a match.
Only the positions of the matches matter: a match stands behind as many items as are closer, which a row of *sorted
values* answers by binary search, and sorting values is several times cheaper than sorting indices. Only a row in which
a match shares its distance with another item is sorted stably with indices, so equal distances keep gallery order.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reid.evaluation.rank_lists import RankList
from reid.metrics.scores import Scores

Values = Tensor | NDArray[Any] | Sequence[Any]
Floats = NDArray[np.float64]

_CHUNK = 8 << 20  # distances held at once: 32 MB in float32, beside a sorted copy of the same size


@dataclass(frozen=True)
class Ranking:
    """How well queries find their matches. Fractions 0..1; means are over the queries that have a match.

    cmc (min(max_rank, G),): share of queries with a match within the first k items. ap, inp (Q,): average precision
    without interpolation, and matches / position of the last match (Ye et al., TPAMI 2021); NaN without a match.
    lists: a few queries with what is ranked first, where the images are known.
    """

    cmc: Floats
    mAP: float
    mINP: float
    ap: Floats
    inp: Floats
    lists: tuple[RankList, ...] = ()

    def scores(self) -> Scores:
        """The numbers that stand for it; on a gallery of fewer than k images rank-k is the last there is."""
        rank1, rank5, rank10 = (float(self.cmc[min(k, len(self.cmc)) - 1]) for k in (1, 5, 10))
        return Scores(mAP=self.mAP, mINP=self.mINP, rank1=rank1, rank5=rank5, rank10=rank10)


@torch.no_grad()
def rank(
    query: Values,
    gallery: Values,
    query_ids: Values,
    gallery_ids: Values,
    query_cams: Values,
    gallery_cams: Values,
    metric: Literal["cosine", "euclidean"] = "cosine",
    max_rank: int = 50,
) -> Ranking:
    """Rank gallery features (G, D) for query features (Q, D), on the query's device, in float32 or wider.

    "cosine" compares directions as of `with_directions`, "euclidean" raw features. ids and cams are integers, (Q,) and
    (G,).
    ValueError: shapes or types that do not fit, NaN or infinity, no query with a match.
    """
    if metric not in ("cosine", "euclidean"):
        raise ValueError(f"metric must be 'cosine' or 'euclidean', not {metric!r}")
    q, g = _floats(query, "query"), _floats(gallery, "gallery")
    if q.ndim != 2 or g.ndim != 2 or q.shape[1] != g.shape[1]:
        raise ValueError(f"query (Q, D) and gallery (G, D) must share D, not {tuple(q.shape)} and {tuple(g.shape)}")
    dtype = torch.promote_types(q.dtype, g.dtype)
    q, g = q.to(dtype), g.to(q.device, dtype)
    if metric == "cosine":
        q, g = map(_directions, with_directions(q, g))
    # Of |q - g|^2, |q|^2 is the same for a whole row and |g|^2 the same for all directions: neither changes the order.
    offset = g.square().sum(dim=1) if metric == "euclidean" else g.new_zeros(())
    owners = query_ids, gallery_ids, query_cams, gallery_cams
    return _rank(lambda rows: torch.addmm(offset, q[rows], g.T, alpha=-2), len(q), len(g), owners, q.device, max_rank)


@torch.no_grad()
def rank_distances(
    distances: Values,
    query_ids: Values,
    gallery_ids: Values,
    query_cams: Values,
    gallery_cams: Values,
    max_rank: int = 50,
) -> Ranking:
    """As `rank`, from a distance matrix (Q, G), which is read a few queries at a time and left as it is."""
    matrix = distances if isinstance(distances, Tensor) else np.asarray(distances)
    if matrix.ndim != 2:
        raise ValueError(f"distances must be (Q, G), not {tuple(matrix.shape)}")
    device = matrix.device if isinstance(matrix, Tensor) else torch.device("cpu")
    Q, G = matrix.shape
    owners = query_ids, gallery_ids, query_cams, gallery_cams

    def fresh(rows: slice) -> Tensor:
        return _floats(matrix[rows], "distances").clone(memory_format=torch.contiguous_format)

    return _rank(fresh, Q, G, owners, device, max_rank)


def _rank(
    distances: Callable[[slice], Tensor], Q: int, G: int, owners: tuple[Values, ...], device: torch.device, top: int
) -> Ranking:
    """Rank by `distances(rows)`, which gives (rows, G) values on `device` to overwrite; owners are the ids and cams."""
    if min(Q, G, top) < 1:
        raise ValueError(f"needs at least one query, one gallery item and one rank, not {Q}, {G} and {top}")
    names = "query_ids", "gallery_ids", "query_cams", "gallery_cams"
    q_ids, g_ids, q_cams, g_cams = map(_integers, owners, names, (Q, G, Q, G), [device] * 4)
    by_id = g_ids.argsort(stable=True)
    start = torch.searchsorted(g_ids[by_id], q_ids)[:, None]
    stop = torch.searchsorted(g_ids[by_id], q_ids, right=True)[:, None]
    W = max(1, int((stop - start).max()))  # the most gallery items that a query's identity has
    step = max(1, _CHUNK // (G + 16 * W))  # what is kept for each of them is some 16 times as large as a distance
    parts = []
    for rows in (slice(first, first + step) for first in range(0, Q, step)):
        slots = start[rows] + torch.arange(W, device=device)
        items = by_id[slots.clamp_max(G - 1)]
        same_id, same_cam = slots < stop[rows], g_cams[items] == q_cams[rows, None]
        positions = _positions(distances(rows), items, same_id & ~same_cam, same_id & same_cam)
        parts.append(_measures(positions.cpu().numpy(), G))
    ap, inp, best = map(np.concatenate, zip(*parts, strict=True))
    valid = best <= G
    if not valid.any():
        raise ValueError(f"none of the {Q} queries has a match: no gallery item of its identity from another camera")
    cmc = np.bincount(best[valid], minlength=G + 1)[1 : top + 1].cumsum() / valid.sum()
    return Ranking(cmc, float(ap[valid].mean()), float(inp[valid].mean()), ap, inp)


def _positions(distances: Tensor, items: Tensor, match: Tensor, removed: Tensor) -> Tensor:
    """1-based positions (B, W) of matches among the kept items of distances (B, G); G + 1 where there is no match.

    items (B, W): gallery indices that hold all items of the query's identity; match, removed (B, W): which is what.
    """
    if not torch.stack(torch.aminmax(distances)).isfinite().all():
        raise ValueError("features and distances must be finite: NaN, infinity or an overflow found")
    row, slot = removed.nonzero(as_tuple=True)
    distances[row, items[row, slot]] = torch.inf
    own = distances.gather(1, items)
    ordered = _sorted_rows(distances)
    closer = torch.searchsorted(ordered, own)
    shared = match & (torch.searchsorted(ordered, own, right=True) - closer > 1)
    tied = shared.any(dim=1).nonzero()[:, 0]
    if len(tied):
        order = distances[tied].argsort(dim=1, stable=True)
        place = torch.arange(order.shape[1], device=order.device).expand_as(order)
        closer[tied] = torch.empty_like(order).scatter_(1, order, place).gather(1, items[tied])
    return torch.where(match, closer + 1, distances.shape[1] + 1)


def _sorted_rows(distances: Tensor) -> Tensor:
    """A copy with every row in ascending order. On a CPU numpy's vectorised sort of values beats torch's by far."""
    if distances.device.type != "cpu":
        return distances.sort(dim=1).values
    ordered = distances.numpy().copy()
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda rows: rows.sort(axis=1), np.array_split(ordered, threads)))
    return torch.from_numpy(ordered)


def _measures(positions: NDArray[np.int64], G: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """AP, INP and position of the first match by row of positions (B, W); NaN, NaN and G + 1 without a match."""
    positions = np.sort(positions, axis=1)
    hit = positions <= G
    precision = np.where(hit, np.arange(1, positions.shape[1] + 1) / positions, 0)
    matches = np.where(hit.any(axis=1), hit.sum(axis=1), np.nan)
    last = np.where(hit, positions, 0).max(axis=1)
    total = precision.cumsum(axis=1)[:, -1]  # added in order, so that the padding W does not touch the last bit
    return total / matches, matches / np.maximum(last, 1), positions[:, 0]


def with_directions(query: Tensor, gallery: Tensor) -> tuple[Tensor, Tensor]:
    """Features (Q, D) and (G, D) of which each has a direction: (Q, D + 1) and (G, D + 1) where one is all zero.

    Such a feature points along the new axis: its cosine is 1 with another such one, 0 with any other feature.
    """
    lost = [(part == 0).all(dim=1, keepdim=True) for part in (query, gallery)]
    if not any(bool(rows.any()) for rows in lost):
        return query, gallery
    return torch.cat([query, lost[0].to(query)], dim=1), torch.cat([gallery, lost[1].to(gallery)], dim=1)


def _directions(features: Tensor) -> Tensor:
    """Features (N, D) at unit length; scaled by their largest entry first, so that squares stay in range."""
    tiny = torch.finfo(features.dtype).tiny
    unit: Tensor = features / torch.linalg.vector_norm(features, torch.inf, dim=1, keepdim=True).clamp_min(tiny)
    unit /= torch.linalg.vector_norm(unit, dim=1, keepdim=True).clamp_min(tiny)
    return unit


def _tensor(values: Values) -> Tensor:
    """Tensors as they are; anything else copied, since a numpy array may be read-only or have negative strides."""
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values, order="C"))


def _floats(values: Values, name: str) -> Tensor:
    tensor = _tensor(values)
    if not tensor.is_floating_point():
        raise ValueError(f"{name} must be floating point, not {tensor.dtype}")
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _integers(values: Values, name: str, length: int, device: torch.device) -> Tensor:
    tensor = _tensor(values)
    if tensor.shape != (length,) or tensor.is_floating_point():
        raise ValueError(f"{name} must be {length} integers, not {tensor.dtype} {tuple(tensor.shape)}")
    return tensor.to(device, torch.int64).contiguous()
