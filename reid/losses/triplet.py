"""Batch-hard triplet loss."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class TripletResult(NamedTuple):
    """Loss () and, per anchor, the distance to its hardest positive and hardest negative, both (B,)."""

    loss: Tensor
    dist_ap: Tensor
    dist_an: Tensor


def pairwise_distances(features: Tensor) -> Tensor:
    """Euclidean distances (B, B) of features (B, D), never below 1e-6 and with zero gradient there.

    The squares are expanded as the reference does, and clamped before the root so that duplicate images give
    no NaN gradient.
    """
    squares = features.square().sum(1)
    return (squares[:, None] + squares[None, :] - 2 * features @ features.T).clamp(min=1e-12).sqrt()


def batch_hard_triplet(features: Tensor, labels: Tensor, margin: float | None) -> TripletResult:
    """Triplet loss of every anchor with its farthest positive (itself included) and nearest negative.

    `features` (B, D), not normalised; `labels` (B,) with any counts. A number as `margin` gives
    mean relu(ap − an + margin); None gives the soft margin, mean log(1 + exp(ap − an)). An anchor without a negative
    has dist_an = inf and adds 0. Source: Hermans et al. 2017; reid-strong-baseline TripletLoss, with masked max and min
    in place of its reshape, which needs equal counts.
    """
    distances = pairwise_distances(features)
    same = labels[:, None] == labels[None, :]
    dist_ap = distances.masked_fill(~same, -torch.inf).amax(1)
    dist_an = distances.masked_fill(same, torch.inf).amin(1)
    gap = dist_ap - dist_an
    per_anchor = functional.softplus(gap) if margin is None else functional.relu(gap + margin)
    return TripletResult(per_anchor.mean(), dist_ap, dist_an)
