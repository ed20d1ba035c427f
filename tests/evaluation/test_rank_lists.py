"""Rank lists: which queries, and what is ranked first for them under the Market protocol."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reid.data import Dataset
from reid.data.dataset import Split
from reid.evaluation import rank_distances
from reid.evaluation.rank_lists import LENGTH, rank_lists, shown_queries
from reid.execution.recorder import named_lists
from reid.store.run_records import RankedImage


def split(folder: str, n: int, identities: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    paths = tuple(Path("/data") / folder / f"{i}.jpg" for i in range(n))
    return Split(paths, random.integers(1, identities + 1, n), random.integers(1, 4, n))


def dataset() -> Dataset:
    return Dataset(
        "drawn", Path("/data"), split("train", 1, 1, 0), split("query", 40, 12, 1), split("gallery", 60, 12, 2)
    )


def test_lists_agree_with_the_ranking() -> None:
    """A list that is right at its head is a hit at rank 1, and only that."""
    data = dataset()
    distances = torch.from_numpy(np.random.default_rng(3).integers(0, 30, (40, 60)).astype(np.float32))

    def rows(queries: Sequence[int]) -> Tensor:
        return distances[list(queries)]

    query, gallery = data.query, data.gallery
    for one in rank_lists(data, rows):
        alone = rank_distances(
            distances[one.query : one.query + 1],
            query.identities[one.query : one.query + 1],
            gallery.identities,
            query.cameras[one.query : one.query + 1],
            gallery.cameras,
        )
        assert list(alone.cmc[:LENGTH] > 0) == [any(one.right[: k + 1]) for k in range(LENGTH)]
        assert len(one.items) == LENGTH
        own = (gallery.identities == query.identities[one.query]) & (gallery.cameras == query.cameras[one.query])
        assert not own[list(one.items)].any()


def test_queries_are_fixed_spread_and_have_a_match() -> None:
    data = dataset()
    shown = shown_queries(data)
    assert shown == sorted(set(shown)) == shown_queries(data)
    assert len(shown) == 6
    for position in shown:
        same = data.gallery.identities == data.query.identities[position]
        assert (same & (data.gallery.cameras != data.query.cameras[position])).any()


def test_files_are_named_relative_to_the_data_set() -> None:
    lists = rank_lists(dataset(), lambda queries: torch.rand(len(queries), 60))
    first = named_lists(lists, dataset())[0]
    assert first.query == f"query/{lists[0].query}.jpg"
    assert first.top[0] == RankedImage(file=f"gallery/{lists[0].items[0]}.jpg", right=lists[0].right[0])


def test_no_query_with_a_match_no_list() -> None:
    data = dataset()
    lonely = Dataset("drawn", Path("/data"), data.train, data.query, Split((), np.zeros(0, int), np.zeros(0, int)))
    assert shown_queries(lonely) == []
