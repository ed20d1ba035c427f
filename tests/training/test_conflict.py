"""Gradient conflict against gradients taken by hand, and as the loop records it."""

import numpy as np
import pandas as pd
import pytest
import torch

from reid.data import DecodedDataset
from reid.losses import batch_hard_triplet, label_smoothing_cross_entropy
from reid.recipe import Recipe
from reid.training import Checkpoint, Steps, train
from reid.training.diagnostics.conflict import CONFLICT_FIELDS, gradient_conflict
from reid.tricks import TRICKS

CPU = torch.device("cpu")


def numbers(found: dict[str, torch.Tensor]) -> list[float]:
    assert tuple(found) == CONFLICT_FIELDS
    return [float(value) for value in found.values()]


def test_two_losses_whose_gradients_are_known() -> None:
    feature = torch.zeros(4, 2, requires_grad=True)
    towards = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    other = torch.tensor([[1.0, 0.0], [-2.0, 0.0], [0.0, 3.0], [5.0, 5.0]])
    found = gradient_conflict((feature * towards).sum(), 7 * (feature * other).sum(), feature)
    batch = (1 - 2) / np.sqrt(3 * (1 + 4 + 9 + 50))
    assert numbers(found) == pytest.approx([1 / 4, 3 / 4, 0.0, batch])


def test_no_sample_that_both_losses_pull() -> None:
    feature = torch.ones(2, 3, requires_grad=True)
    share, both, cosine, batch = numbers(gradient_conflict(feature.sum(), (0 * feature).sum(), feature))
    assert (share, both) == (0, 0)
    assert np.isnan(cosine)
    assert np.isnan(batch)


@pytest.mark.parametrize("neck", [False, True])
def test_against_autograd_sample_by_sample(neck: bool) -> None:
    """Through a classifier with or without batch normalisation, from losses on a real head, by a plain loop."""
    torch.manual_seed(3)
    feature = torch.randn(12, 6, requires_grad=True)
    labels = torch.arange(4).repeat_interleave(3)
    norm = torch.nn.BatchNorm1d(6) if neck else torch.nn.Identity()
    head = torch.nn.Linear(6, 4)
    id_loss = label_smoothing_cross_entropy(head(norm(feature)), labels, 0.1)
    triplet_loss = batch_hard_triplet(feature, labels, 0.3).loss
    found = gradient_conflict(id_loss, triplet_loss, feature)
    one, two = (torch.autograd.grad(loss, feature, retain_graph=True)[0] for loss in (id_loss, triplet_loss))
    cosines = []
    for row in range(12):
        lengths = float(one[row].norm() * two[row].norm())
        if lengths > 0:
            cosines.append(float(one[row] @ two[row]) / lengths)
    batch = float(one.flatten() @ two.flatten()) / float(one.norm() * two.norm())
    expected = [sum(cosine < 0 for cosine in cosines) / 12, len(cosines) / 12, np.mean(cosines), batch]
    assert numbers(found) == pytest.approx(expected, rel=1e-4)


def rows_of(recipe: Recipe, data: DecodedDataset, every: int) -> tuple[pd.DataFrame, dict[str, torch.Tensor]]:
    """Curves and final weights of a training that measures conflict every so many iterations."""
    rows, weights = [], {}
    for event in train(recipe, data, 0, CPU, conflict_every=every):
        if isinstance(event, Steps):
            rows.append(event.rows)
        elif isinstance(event, Checkpoint):
            weights = {name: tensor.clone() for name, tensor in event.state.model.items()}
    return pd.concat(rows, ignore_index=True), weights


def test_recorded_every_so_often_and_changes_nothing(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    recipe = TRICKS["bnneck"].apply(tiny_recipe)
    often, weights = rows_of(recipe, tiny, 4)
    never, same = rows_of(recipe, tiny, 0)
    measured = often["conflict_share"].notna()
    assert often.loc[measured, "iteration"].tolist() == list(range(1, len(often) + 1, 4))
    assert often.loc[measured, list(CONFLICT_FIELDS)].notna().all(axis=None)
    assert often.loc[measured, "conflict_share"].between(0, 1).all()
    assert never[list(CONFLICT_FIELDS)].isna().all(axis=None)
    rest = [name for name in often if name not in CONFLICT_FIELDS]
    pd.testing.assert_frame_equal(often[rest], never[rest])
    assert all(torch.equal(weights[name], same[name]) for name in weights)


@pytest.mark.parametrize("off", ["id_loss.weight", "triplet.weight"])
def test_no_conflict_of_a_loss_that_is_off(tiny: DecodedDataset, tiny_recipe: Recipe, off: str) -> None:
    rows, _ = rows_of(tiny_recipe.set({off: 0.0, "schedule.epochs": 1, "schedule.milestones": ()}), tiny, 1)
    assert rows[list(CONFLICT_FIELDS)].isna().all(axis=None)
