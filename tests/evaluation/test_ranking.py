"""Ranking against a plain loop over hypothesis' cases, and what must not change its answer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reid.data import Dataset, Split
from reid.evaluation import Extracted, Ranking, rank, rank_distances, rank_extracted, ranking
from reid.evaluation.ranking import with_directions
from reid.models.baseline import Features
from reid.recipe import Recipe

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=needs_cuda)]

Array = np.ndarray[Any, Any]
Owners = tuple[Array, Array, Array, Array]


def plain(distances: Array, owners: Owners, max_rank: int = 50) -> Ranking | None:
    """The protocol, one item at a time. None when no query has a match."""
    q_ids, g_ids, q_cams, g_cams = owners
    Q, G = distances.shape
    ap, inp, found = np.full(Q, np.nan), np.full(Q, np.nan), np.zeros((Q, min(max_rank, G)))
    for query in range(Q):
        position, hits, precisions = 0, 0, []
        for item in sorted(range(G), key=lambda item: (distances[query, item], item)):
            if g_ids[item] == q_ids[query] and g_cams[item] == q_cams[query]:
                continue
            position += 1
            if g_ids[item] == q_ids[query]:
                hits += 1
                precisions.append(hits / position)
                found[query, position - 1 :] = 1
        if hits:
            ap[query], inp[query] = sum(precisions) / hits, precisions[-1]
    valid = ~np.isnan(ap)
    if not valid.any():
        return None
    return Ranking(found[valid].mean(axis=0), ap[valid].mean(), inp[valid].mean(), ap, inp)


def assert_same(found: Ranking, expected: Ranking, tolerance: float = 1e-12) -> None:
    assert found.cmc.shape == expected.cmc.shape
    for name in ("cmc", "mAP", "mINP", "ap", "inp"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=0, atol=tolerance, err_msg=name)


def random_case(seed: int, Q: int = 23, G: int = 90) -> tuple[Array, Owners]:
    """Distances without ties, 7 identities (one of them absent from the gallery), 3 cameras."""
    random = np.random.default_rng(seed)
    owners = random.integers(0, 7, Q), random.integers(1, 7, G), random.integers(0, 3, Q), random.integers(0, 3, G)
    return random.permutation(Q * G).reshape(Q, G).astype(np.float64), owners


@st.composite
def cases(draw: st.DrawFn) -> tuple[Array, Owners, int]:
    """Small cases with few distinct distances, so most are tied."""
    Q, G = draw(st.integers(1, 6)), draw(st.integers(1, 14))
    dtype, levels = draw(st.sampled_from([np.float32, np.float64])), draw(st.sampled_from([1, 2, 3, 8, 1000]))
    distances = draw(hnp.arrays(np.int64, (Q, G), elements=st.integers(-levels, levels))).astype(dtype) / 7
    q_ids, g_ids, q_cams, g_cams = (
        draw(hnp.arrays(np.int64, length, elements=st.integers(0, high))) for high in (3, 2) for length in (Q, G)
    )
    return distances, (q_ids, g_ids, q_cams, g_cams), draw(st.sampled_from([1, 5, 50]))


@pytest.mark.parametrize("device", DEVICES)
@given(case=cases())
@settings(max_examples=300, deadline=None)
def test_distances_agree_with_a_plain_loop(device: str, case: tuple[Array, Owners, int]) -> None:
    distances, owners, max_rank = case
    given_distances, before = torch.from_numpy(distances).to(device), distances.copy()
    expected = plain(distances, owners, max_rank)
    if expected is None:
        with pytest.raises(ValueError, match="has a match"):
            rank_distances(given_distances, *owners, max_rank=max_rank)
    else:
        assert_same(rank_distances(given_distances, *owners, max_rank=max_rank), expected)
        assert_same(rank_distances(distances, *owners, max_rank=max_rank), expected)
    np.testing.assert_array_equal(given_distances.cpu(), before)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_features_agree_with_a_plain_loop(device: str, dtype: torch.dtype, metric: Any) -> None:
    """Entries +-1 in four dimensions have exact distances under both metrics, so ties are exact too."""
    _, owners = random_case(3)
    random = np.random.default_rng(4)
    query, gallery = (random.choice([-1.0, 1.0], (n, 4)) for n in (23, 90))
    if metric == "euclidean":
        gallery *= random.integers(1, 4, (90, 1))  # length matters here
    expected = plain(np.square(query[:, None] - gallery).sum(axis=2), owners)
    assert expected is not None
    q, g = (torch.tensor(features, dtype=dtype, device=device) for features in (query, gallery))
    assert_same(rank(q, g, *owners, metric=metric), expected)


def test_many_ties_at_a_width_that_a_vectorised_sort_works_on() -> None:
    random = np.random.default_rng(8)
    owners = (
        random.integers(0, 40, 12),
        random.integers(0, 40, 3000),
        random.integers(0, 3, 12),
        random.integers(0, 3, 3000),
    )
    distances = random.integers(-50, 50, (12, 3000)).astype(np.float32) * random.choice([0.1, -0.1, 0.0], (12, 1))
    expected = plain(distances, owners)
    assert expected is not None
    assert_same(rank_distances(distances, *owners), expected)


def test_equal_distances_keep_gallery_order() -> None:
    """The match stands between two others at its own distance: position 2."""
    found = rank_distances([[0.5, 0.5, 0.5, 0.1]], [1], [2, 1, 2, 1], [0], [1, 1, 1, 0])
    assert (found.ap[0], found.inp[0]) == (0.5, 0.5)
    assert found.cmc.tolist() == [0, 1, 1, 1]


def test_tensors_arrays_and_lists_are_the_same_input() -> None:
    distances, owners = random_case(1)
    expected = rank_distances(distances, *owners)
    read_only = distances.astype(np.float32)[:, ::-1]
    read_only.flags.writeable = False
    flipped = (owners[0].astype(np.int32), owners[1][::-1], owners[2], owners[3][::-1])
    assert_same(rank_distances(read_only, *flipped), expected)
    assert_same(rank_distances(distances.tolist(), *(values.tolist() for values in owners)), expected)
    q_ids, g_ids, q_cams, g_cams = (torch.tensor(values).repeat_interleave(2)[::2] for values in owners)
    transposed = torch.from_numpy(distances).T.contiguous().T.requires_grad_()
    assert_same(rank_distances(transposed, q_ids, g_ids, q_cams, g_cams), expected)


@pytest.mark.parametrize("chunk", [1, 1000, 3000, 90 * 22])
def test_chunks_change_nothing_and_bound_the_rows_held(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    distances, owners = random_case(2)
    expected = rank_distances(distances, *owners)
    rows, positions = [], ranking._positions

    def recorded(chunk_distances: torch.Tensor, *arguments: torch.Tensor) -> torch.Tensor:
        rows.append(len(chunk_distances))
        return positions(chunk_distances, *arguments)

    monkeypatch.setattr(ranking, "_CHUNK", chunk)
    monkeypatch.setattr(ranking, "_positions", recorded)
    assert_same(rank_distances(distances, *owners), expected, tolerance=0)
    assert sum(rows) == 23
    assert max(rows) <= max(1, chunk // 90)
    assert len(rows) > 1


@pytest.mark.parametrize("factor", [1e-30, 1e-3, 7.0, 1e30])
def test_scale_is_nothing_to_cosine(factor: float) -> None:
    _, owners = random_case(5)
    features = torch.randn(113, 16, generator=torch.Generator().manual_seed(6))
    query, gallery = features[:23], features[23:]
    scales = torch.linspace(1, 3, 90)[:, None] * factor
    assert_same(rank(query * factor, gallery * scales, *owners), rank(query, gallery, *owners))
    with pytest.raises(AssertionError):
        assert_same(rank(query, gallery * scales / factor, *owners, metric="euclidean"), rank(query, gallery, *owners))


def test_gallery_order_is_nothing_without_ties() -> None:
    distances, (q_ids, g_ids, q_cams, g_cams) = random_case(7)
    order = np.random.default_rng(8).permutation(90)
    shuffled = rank_distances(distances[:, order], q_ids, g_ids[order], q_cams, g_cams[order])
    assert_same(shuffled, rank_distances(distances, q_ids, g_ids, q_cams, g_cams), tolerance=0)


def test_removed_items_change_nothing() -> None:
    """One identity and one camera: whatever is added under both is removed, near or far."""
    distances = np.random.default_rng(9).random((5, 30))
    g_ids, g_cams = np.arange(30) % 4, np.arange(30) % 3
    q_ids, q_cams = np.full(5, 2), np.full(5, 1)
    more = np.concatenate([np.full((5, 3), -1.0), distances, np.full((5, 3), 2.0), distances[:, :4]], axis=1)
    ids, cams = (np.concatenate([np.full(3, a), b, np.full(7, a)]) for a, b in ((2, g_ids), (1, g_cams)))
    expected = rank_distances(distances, q_ids, g_ids, q_cams, g_cams, max_rank=20)
    assert_same(rank_distances(more, q_ids, ids, q_cams, cams, max_rank=20), expected, tolerance=0)


def test_a_query_without_a_match_is_not_counted() -> None:
    """The second query's identity is absent, the third's only match is under its own camera."""
    found = rank_distances(np.ones((3, 2)), [1, 9, 2], [1, 2], [0, 0, 5], [1, 5])
    np.testing.assert_array_equal(found.ap, [1, np.nan, np.nan])
    assert (found.mAP, found.mINP, found.cmc.tolist()) == (1, 1, [1, 1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    distances, owners = random_case(10)
    distances[20, 88] = value
    with pytest.raises(ValueError, match="finite"):
        rank_distances(distances, *owners)
    for metric in ("cosine", "euclidean"):
        features = np.random.default_rng(11).random((113, 4))
        features[77, 2] = value
        with pytest.raises(ValueError, match="finite"):
            rank(features[:23], features[23:], *owners, metric=metric)
        with pytest.raises(ValueError, match="finite"):
            rank(features[70:93], features[:90], *owners, metric=metric)


def test_an_overflow_is_refused() -> None:
    _, owners = random_case(12)
    features = torch.full((113, 4), 1e30)
    with pytest.raises(ValueError, match="overflow"):
        rank(features[:23], features[23:], *owners, metric="euclidean")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": np.ones((2, 5))}, "share D"),
        ({"query": np.ones(4)}, "share D"),
        ({"query": np.ones((0, 4)), "query_ids": [], "query_cams": []}, "at least one query"),
        ({"gallery": np.ones((0, 4)), "gallery_ids": [], "gallery_cams": []}, "at least one query, one gallery"),
        ({"query": np.ones((2, 4), dtype=np.int64)}, "query must be floating point"),
        ({"query_ids": [1]}, "query_ids must be 2 integers"),
        ({"gallery_cams": [1, 2]}, "gallery_cams must be 3 integers"),
        ({"gallery_ids": [[1, 2, 3]]}, "gallery_ids must be 3 integers"),
        ({"gallery_ids": [1.0, 2.0, 3.0]}, "gallery_ids must be 3 integers"),
        ({"max_rank": 0}, "one rank"),
        ({"metric": "manhattan"}, "'manhattan'"),
        ({"query_ids": [8, 9]}, "none of the 2 queries has a match"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "query": np.ones((2, 4)),
        "gallery": np.ones((3, 4)),
        "query_ids": [1, 2],
        "gallery_ids": [1, 2, 3],
        "query_cams": [0, 0],
        "gallery_cams": [1, 1, 1],
    }
    assert rank(**good).mAP == 0.75
    with pytest.raises(ValueError, match=message):
        rank(**{**good, **change})


def test_distances_must_be_a_matrix() -> None:
    with pytest.raises(ValueError, match=r"\(Q, G\)"):
        rank_distances(np.ones(3), [1], [1, 1, 1], [0], [1, 1, 1])
    with pytest.raises(ValueError, match="gallery_ids must be 3"):
        rank_distances(np.ones((1, 3)), [1], [1, 1], [0], [1, 1])


class TestAllZeroFeatures:
    """They have no direction: to the cosine they are at right angles to all others, and to each other the same."""

    QUERY = torch.tensor([[1.0, 0.2], [0.0, 0.0]])
    GALLERY = torch.tensor([[-1.0, 0.5], [0.0, 0.0], [1.0, 0.1]])

    def test_between_what_is_alike_and_what_is_opposite(self) -> None:
        one, two = with_directions(self.QUERY, self.GALLERY)
        cosine = functional.cosine_similarity(one[:, None], two[None], dim=2)
        assert (cosine[0].argsort(descending=True).tolist(), cosine[1].tolist()) == ([2, 1, 0], [0.0, 1.0, 0.0])
        for match in range(3):
            ids = np.full(3, 7)
            ids[match] = 1
            found = rank(self.QUERY, self.GALLERY, [1, 1], ids, [1, 1], [2, 2, 2])
            expected = [(cosine[row] > cosine[row, match]).sum() + (cosine[row, :match] == cosine[row, match]).sum() + 1
                        for row in range(2)]  # fmt: skip
            assert found.ap == pytest.approx([1 / float(position) for position in expected])

    def test_nothing_changes_where_there_is_none(self) -> None:
        one, two = with_directions(self.QUERY[:1], self.GALLERY[::2])
        assert (one.shape, two.shape) == ((1, 2), (2, 2))

    @pytest.mark.parametrize("rerank", [False, True])
    def test_rank_lists_and_clusters_say_the_same_as_the_ranking(self, rerank: bool) -> None:
        queries, items = (
            Split(tuple(Path(f"{name}{i}") for i in range(count)), np.full(count, 1), np.full(count, camera))
            for name, count, camera in (("q", 2, 1), ("g", 3, 2))
        )
        items = replace(items, identities=np.array([2, 1, 3]))
        dataset = Dataset("ours", Path(), queries.take([]), queries, items)
        features = Extracted(*(Features(part, part) for part in (self.QUERY, self.GALLERY)))
        recipe = Recipe().set({"evaluation.rerank": rerank})
        found = rank_extracted(features, dataset, recipe)
        assert len(found.lists) == 2
        for ranked, ap in zip(found.lists, found.ap, strict=True):
            assert 1 / (1 + ranked.right.index(True)) == pytest.approx(ap)
