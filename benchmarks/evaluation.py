"""Exact evaluation at the size of Market-1501, beside the usual per-query loop and the bare matrix product.

    python -m benchmarks.evaluation [--scale small] [--repeats 5]

All take turns in one process; the medians of the ratios within a turn hold on a busy machine, the seconds do not.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reid.evaluation import rank, rank_distances

SCALES = {"market1501": (3368, 15913, 2048, 751, 6), "small": (200, 2000, 256, 101, 6)}  # Q, G, D, identities, cameras
PAIRS = ("rank", "usual"), ("rank", "matrix product"), ("rank_distances", "usual ranking")
Array = NDArray[np.int64]
Data = tuple[Tensor, Tensor, Array, Array, Array, Array]  # query, gallery, their ids, their cameras


def generate(Q: int, G: int, D: int, identities: int, cameras: int) -> Data:
    """Noisy features around one centre an identity; a sixth of the gallery are distractors of identity 0."""
    random = np.random.default_rng(0)
    centers = random.standard_normal((identities, D), dtype=np.float32)
    q_ids = random.integers(1, identities, Q)
    g_ids = np.where(random.random(G) < 1 / 6, 0, random.integers(1, identities, G))
    query, gallery = (
        torch.from_numpy(centers[ids] + 4 * random.standard_normal((len(ids), D), dtype=np.float32))
        for ids in (q_ids, g_ids)
    )
    return query, gallery, q_ids, g_ids, random.integers(0, cameras, Q), random.integers(0, cameras, G)


def usual_distances(query: Tensor, gallery: Tensor) -> NDArray[np.float32]:
    """The whole matrix of squared distances between normalised features, as the reference makes it."""
    q, g = torch.nn.functional.normalize(query), torch.nn.functional.normalize(gallery)
    squares = q.square().sum(1, keepdim=True) + g.square().sum(1)
    return np.asarray(squares.addmm_(q, g.T, alpha=-2))


def usual_ranking(
    distances: NDArray[np.float32], q_ids: Array, g_ids: Array, q_cams: Array, g_cams: Array, stable: bool = False
) -> float:
    """mAP as the reference finds it: argsort of every row (ties in no order unless `stable`), a loop over queries."""
    order = np.argsort(distances, axis=1, stable=stable)
    average_precisions = []
    for row, pid, cam in zip(order, q_ids, q_cams, strict=True):
        kept = row[(g_ids[row] != pid) | (g_cams[row] != cam)]
        hits = (g_ids[kept] == pid).astype(np.int32)
        if hits.any():
            precision = hits.cumsum() / np.arange(1, len(hits) + 1)
            average_precisions.append((precision * hits).sum() / hits.sum())
    return float(np.mean(average_precisions))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, default="market1501")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    query, gallery, q_ids, g_ids, q_cams, g_cams = generate(*SCALES[arguments.scale])
    distances = usual_distances(query, gallery)

    work: dict[str, Callable[[], object]] = {
        "rank": lambda: rank(query, gallery, q_ids, g_ids, q_cams, g_cams),
        "usual": lambda: usual_ranking(usual_distances(query, gallery), q_ids, g_ids, q_cams, g_cams),
        "matrix product": lambda: query @ gallery.T,
        "rank_distances": lambda: rank_distances(distances, q_ids, g_ids, q_cams, g_cams),
        "usual ranking": lambda: usual_ranking(distances, q_ids, g_ids, q_cams, g_cams),
    }
    turns = [{name: seconds(do) for name, do in work.items()} for _ in range(arguments.repeats + 1)]
    del turns[0]  # it warmed up

    ours = rank_distances(distances, q_ids, g_ids, q_cams, g_cams).mAP
    theirs, stable = (usual_ranking(distances, q_ids, g_ids, q_cams, g_cams, stable) for stable in (False, True))
    print("queries x gallery x features, identities, cameras:", *SCALES[arguments.scale])
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, numpy {np.__version__}")
    print(
        f"mAP from the same distances: ours {ours:.12f}, usual {theirs:.12f}, usual with a stable argsort {stable:.12f}"
    )
    for name in work:
        report(f"{name}, seconds", [turn[name] for turn in turns])
    for name, peer in PAIRS:
        report(f"{name} / {peer}", [turn[name] / turn[peer] for turn in turns])


def report(title: str, values: list[float]) -> None:
    print(f"{title:>32}: median {np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})")


if __name__ == "__main__":
    main()
