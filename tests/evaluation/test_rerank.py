"""k-reciprocal re-ranking against a loop that follows the paper word by word."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional

from reid.evaluation import rank_distances, rerank

GOLDEN = Path(__file__).parents[1] / "golden" / "metric_end_to_end.npz"


def by_the_book(query: Any, gallery: Any, k1: int, k2: int, lambda_: float, weights: type = np.float32) -> NDArray[Any]:
    """Dense matrices and Python sets; `weights` is the type of V and of the Jaccard distance."""
    features = torch.from_numpy(np.concatenate([query, gallery]))
    squares = features.square().sum(1)
    distances = (squares[:, None] + squares[None, :]).addmm(features, features.T, alpha=-2).clamp(min=0).numpy()
    distances = (distances / distances.max(0)).T
    order = distances.argsort(1, kind="stable")
    total, Q = len(distances), len(query)

    def reciprocal(i: int, k: int) -> set[int]:
        return {int(j) for j in order[i, : k + 1] if i in order[j, : k + 1]}

    V: NDArray[Any] = np.zeros((total, total), weights)
    for i in range(total):
        members = reciprocal(i, k1)
        expanded = set(members)
        for j in members:
            candidates = reciprocal(j, round(k1 / 2))
            if len(candidates & members) > 2 / 3 * len(candidates):
                expanded |= candidates
        columns = sorted(expanded)
        value = np.exp(-distances[i, columns])
        V[i, columns] = value / value.sum()
    if k2 > 1:
        V = np.stack([V[order[i, :k2]].mean(0) for i in range(total)]).astype(weights)
    shared: NDArray[Any] = np.zeros((Q, total - Q), weights)
    for j in range(total):  # one after another, as the reference adds
        shared += np.minimum(V[:Q, None, j], V[None, Q:, j])
    jaccard = 1 - shared / (2 - shared)
    final: NDArray[Any] = (1 - lambda_) * jaccard + lambda_ * distances[:Q, Q:]
    return final


@given(
    st.integers(1, 6), st.integers(1, 25), st.integers(1, 12), st.integers(1, 6), st.floats(0, 1), st.integers(0, 99)
)
@settings(max_examples=60, deadline=None)
def test_equals_the_loop(Q: int, G: int, k1: int, k2: int, lambda_: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    query, gallery = (rng.standard_normal((count, 5)).astype(np.float32) for count in (Q, G))
    np.testing.assert_allclose(
        rerank(query, gallery, k1, k2, lambda_), by_the_book(query, gallery, k1, k2, lambda_), rtol=0, atol=1e-5
    )


def test_blocks_of_any_size_give_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    query, gallery = (rng.standard_normal((count, 8)).astype(np.float32) for count in (7, 40))
    whole = rerank(query, gallery)
    monkeypatch.setattr(importlib.import_module("reid.evaluation.rerank"), "BLOCK", 5 * 47)
    np.testing.assert_allclose(rerank(query, gallery), whole, rtol=0, atol=1e-6)


@pytest.mark.golden
@pytest.mark.parametrize("norm", ["yes", "no"])
def test_float16_weights_are_all_that_sets_it_apart_from_the_reference(norm: str) -> None:
    with np.load(GOLDEN) as golden:
        Q = int(golden["num_query"])
        feats, pids, camids = torch.from_numpy(golden["feats"]), golden["pids"], golden["camids"]
        if norm == "yes":
            feats = functional.normalize(feats)
        query, gallery = feats[:Q].numpy(), feats[Q:].numpy()
        found = rank_distances(
            by_the_book(query, gallery, 20, 6, 0.3, np.float16), pids[:Q], pids[Q:], camids[:Q], camids[Q:]
        )
        assert found.mAP == pytest.approx(golden[f"norm_{norm}_rerank_mAP"], rel=0, abs=1e-9)
        np.testing.assert_allclose(found.cmc, golden[f"norm_{norm}_rerank_cmc"], rtol=0, atol=1e-6)


def test_images_of_one_person_come_closer() -> None:
    """Two tight groups that an outlier's distance separates: neighbours in common pull, the original alone does not."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.eye(2, 4), 10, 0) * 3
    features = (groups + 0.5 * rng.standard_normal((20, 4))).astype(np.float32)
    distances = rerank(features[::10], np.delete(features, [0, 10], 0), k1=5, k2=3)
    same, other = distances[0, :9], distances[0, 9:]
    assert same.max() < other.min()
    assert distances.min() >= 0
    assert distances.max() <= 1


def test_copies_of_one_image_and_a_single_one() -> None:
    assert np.isfinite(rerank(np.ones((3, 2), np.float32), np.ones((40, 2), np.float32))).all()
    assert rerank(np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)).shape == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k1": 0}, "at least 1"),
        ({"k2": 0}, "at least 1"),
        ({"lambda_": 1.5}, r"0\.\.1"),
        ({"gallery": np.zeros((4, 3), np.float32)}, "share D"),
        ({"gallery": np.zeros((0, 2), np.float32)}, "share D"),
        ({"query": np.full((1, 2), np.nan, np.float32)}, "finite"),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    given_ = {"query": np.zeros((1, 2), np.float32), "gallery": np.ones((4, 2), np.float32)}
    with pytest.raises(ValueError, match=message):
        rerank(**(given_ | change))
