"""Rank lists to look at: a few fixed queries of a data set, and what is ranked first for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reid.data import Dataset

QUERIES = 6
LENGTH = 10


@dataclass(frozen=True)
class RankList:
    """A query and the first gallery items under the Market protocol, by position; and which of them are right."""

    query: int
    items: tuple[int, ...]
    right: tuple[bool, ...]


def rank_lists(dataset: Dataset, distances: Callable[[Sequence[int]], Tensor]) -> tuple[RankList, ...]:
    """Lists of `shown_queries(dataset)`; `distances` gives rows (queries, G) of the distances of some queries.

    Items of the query's identity and camera are left out; of equal distances the first gallery item goes first.
    """
    query, gallery, shown = dataset.query, dataset.gallery, shown_queries(dataset)
    orders = torch.argsort(distances(shown), dim=1, stable=True).cpu().numpy()
    lists = []
    for position, order in zip(shown, orders, strict=True):
        same = gallery.identities[order] == query.identities[position]
        kept = ~(same & (gallery.cameras[order] == query.cameras[position]))
        lists.append(RankList(position, tuple(order[kept][:LENGTH].tolist()), tuple(same[kept][:LENGTH].tolist())))
    return tuple(lists)


def shown_queries(dataset: Dataset) -> list[int]:
    """Positions of up to six queries that have a match from another camera, spread evenly over the query split."""
    valid = np.flatnonzero(dataset.matched).tolist()
    return [valid[int(i)] for i in np.unique(np.linspace(0, len(valid) - 1, QUERIES).round())] if valid else []
