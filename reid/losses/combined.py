"""What is minimised: the weighted sum of the losses a recipe turns on."""

from typing import NamedTuple

import torch
from torch import Tensor

from reid.losses import TripletResult, batch_hard_triplet, center_loss, circle_loss, label_smoothing_cross_entropy
from reid.recipe import Recipe


class Objective(NamedTuple):
    """The raw losses, NaN where a loss is off, their weighted sum `total`, all (); and the triplets of the batch."""

    id_loss: Tensor
    triplet_loss: Tensor
    center_loss: Tensor
    circle_loss: Tensor
    total: Tensor
    triplets: TripletResult


def objective(logits: Tensor, features: Tensor, labels: Tensor, centers: Tensor, recipe: Recipe) -> Objective:
    """ID loss on logits (B, K), the other losses on the feature before the neck (B, D), with labels (B,).

    `centers` (K, D). The triplets are measured even where their loss is off. Source: Luo et al. 2019, section 3;
    reid-strong-baseline layers/__init__.py.
    """
    margin = None if recipe.triplet.margin == "soft" else recipe.triplet.margin
    triplets = batch_hard_triplet(features, labels, margin)
    off = torch.full((), torch.nan, device=logits.device, dtype=logits.dtype)
    id_loss = triplet_loss = pull = pairs = off
    total = torch.zeros_like(off)
    if recipe.id_loss.weight > 0:
        id_loss = label_smoothing_cross_entropy(logits, labels, recipe.id_loss.epsilon)
        total = total + recipe.id_loss.weight * id_loss
    if recipe.triplet.weight > 0:
        triplet_loss = triplets.loss
        total = total + recipe.triplet.weight * triplet_loss
    if recipe.center.weight > 0:
        pull = center_loss(features, labels, centers)
        total = total + recipe.center.weight * pull
    if recipe.circle.weight > 0:
        pairs = circle_loss(features, labels, recipe.circle.margin, recipe.circle.gamma)
        total = total + recipe.circle.weight * pairs
    return Objective(id_loss, triplet_loss, pull, pairs, total, triplets)
