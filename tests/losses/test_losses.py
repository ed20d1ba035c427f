"""Losses recomputed with plain loops, over types and unequal counts."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from reid.losses import (
    batch_hard_triplet,
    center_loss,
    circle_loss,
    label_smoothing_cross_entropy,
    move_centers,
)


def batches(min_size: int = 2) -> st.SearchStrategy[tuple[Tensor, Tensor]]:
    """Features (B, 3) and labels (B,) with any counts."""

    def build(labels: list[int], seed: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(len(labels), 3, generator=generator, dtype=torch.float64), torch.tensor(labels)

    return st.builds(build, st.lists(st.integers(0, 3), min_size=min_size, max_size=12), st.integers(0, 1000))


@given(batches(), st.sampled_from([0.0, 0.3, None]))
def test_triplet_equals_a_loop(batch: tuple[Tensor, Tensor], margin: float | None) -> None:
    features, labels = batch
    result = batch_hard_triplet(features, labels, margin)
    total = 0.0
    for i in range(len(labels)):
        distance = [max(math.dist(features[i].tolist(), row.tolist()), 1e-6) for row in features]
        positive = max(d for d, label in zip(distance, labels, strict=True) if label == labels[i])
        negative = min((d for d, label in zip(distance, labels, strict=True) if label != labels[i]), default=math.inf)
        assert result.dist_ap[i] == pytest.approx(positive, rel=1e-6, abs=1e-6)
        assert result.dist_an[i] == pytest.approx(negative, rel=1e-6, abs=1e-6)
        gap = positive - negative
        total += math.log1p(math.exp(gap)) if margin is None else max(gap + margin, 0.0)
    assert result.loss.item() == pytest.approx(total / len(labels), rel=1e-6, abs=1e-6)


def test_unequal_counts_are_not_mixed() -> None:
    """The reference's reshape gives wrong positives for these labels."""
    features = torch.tensor([[0.0], [1.0], [5.0], [2.0], [9.0], [20.0]])
    result = batch_hard_triplet(features, torch.tensor([0, 0, 0, 1, 2, 3]), 0.3)
    torch.testing.assert_close(result.dist_ap[:3], torch.tensor([5.0, 4.0, 5.0]))
    torch.testing.assert_close(result.dist_an[:3], torch.tensor([2.0, 1.0, 3.0]))


@pytest.mark.parametrize("margin", [0.3, None])
def test_one_identity_and_duplicates_give_finite_gradients(margin: float | None) -> None:
    features = torch.ones(4, 3, requires_grad=True)
    result = batch_hard_triplet(features, torch.zeros(4, dtype=torch.long), margin)
    result.loss.backward()  # type: ignore[no-untyped-call]
    assert result.loss.item() == 0
    assert features.grad is not None
    assert features.grad.isfinite().all()


@given(batches(min_size=1), st.floats(0, 1))
@settings(max_examples=50)
def test_label_smoothing_equals_a_loop(batch: tuple[Tensor, Tensor], epsilon: float) -> None:
    features, labels = batch
    logits = torch.cat([features, features[:, :1] * 2], 1)
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        log_sum = math.log(sum(math.exp(value) for value in row))
        for index, value in enumerate(row):
            target = (1 - epsilon) * (index == label) + epsilon / len(row)
            total -= target * (value - log_sum) / len(labels)
    assert label_smoothing_cross_entropy(logits, labels, epsilon).item() == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_label_smoothing_refuses_a_wrong_epsilon() -> None:
    with pytest.raises(ValueError, match=r"0\.\.1, got 1\.5"):
        label_smoothing_cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), 1.5)


@given(batches(min_size=1))
def test_center_loss_and_its_move_agree(batch: tuple[Tensor, Tensor]) -> None:
    """The move is one SGD step on the loss's own gradient."""
    features, labels = batch
    centers = torch.arange(12, dtype=torch.float64).reshape(4, 3).requires_grad_()
    loss = center_loss(features, labels, centers)
    expected = sum(((f - centers[y]) ** 2).sum() for f, y in zip(features, labels, strict=True)) / len(labels)
    torch.testing.assert_close(loss, expected + 3e-12)
    loss.backward()  # type: ignore[no-untyped-call]
    moved = centers.detach().clone()
    move_centers(moved, features, labels, 0.25)
    torch.testing.assert_close(moved, (centers - 0.25 * centers.grad).detach() if centers.grad is not None else moved)


def test_a_seen_center_moves_k_over_batch_of_the_way() -> None:
    """With 16 identities x 4 images each seen centre moves 1/16 of the way to its batch mean."""
    features = torch.randn(64, 5, dtype=torch.float64)
    labels = torch.arange(16).repeat_interleave(4)
    centers = torch.zeros(20, 5, dtype=torch.float64)
    move_centers(centers, features, labels, 0.5)
    torch.testing.assert_close(centers[:16], features.reshape(16, 4, 5).mean(1) / 16)
    assert (centers[16:] == 0).all()


@given(batches())
def test_circle_loss_equals_a_loop(batch: tuple[Tensor, Tensor]) -> None:
    features, labels = batch
    unit = (features / features.norm(dim=1, keepdim=True)).tolist()
    margin, gamma, total = 0.25, 8.0, 0.0
    for i, anchor in enumerate(unit):
        cosine = [sum(a * b for a, b in zip(anchor, other, strict=True)) for other in unit]
        positives = [s for j, s in enumerate(cosine) if labels[j] == labels[i] and j != i]
        negatives = [s for j, s in enumerate(cosine) if labels[j] != labels[i]]
        pull = sum(math.exp(-gamma * max(1 + margin - s, 0) * (s - 1 + margin)) for s in positives)
        push = sum(math.exp(gamma * max(s + margin, 0) * (s - margin)) for s in negatives)
        total += math.log1p(pull * push)
    loss = circle_loss(features, labels, margin, gamma)
    assert loss.item() == pytest.approx(total / len(labels), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 0, 1]])
def test_circle_loss_without_positives_or_negatives_has_finite_gradients(labels: list[int]) -> None:
    features = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = circle_loss(features, torch.tensor(labels), 0.25, 128.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    assert features.grad.isfinite().all()
    assert (loss.item() == 0) == (len(set(labels)) in (1, 4))
