"""Circle loss on pairs."""

import torch
from torch import Tensor
from torch.nn import functional


def circle_loss(features: Tensor, labels: Tensor, margin: float, gamma: float) -> Tensor:
    """Mean over anchors of log(1 + Σ exp(γ α_n (s_n − m)) · Σ exp(−γ α_p (s_p − 1 + m))) over its pairs' cosines s.

    `features` (B, D), `labels` (B,); returns (). α_p = [1 + m − s_p]+ and α_n = [s_n + m]+ take no gradient. An anchor
    without a positive or without a negative adds 0. Source: Sun et al. 2020 (CVPR), equations 6 and 7; fast-reid
    pairwise_circleloss.
    """
    directions = functional.normalize(features, dim=1)
    cosines = directions @ directions.T
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    pull = -gamma * (1 + margin - cosines.detach()).relu() * (cosines - 1 + margin)
    push = gamma * (cosines.detach() + margin).relu() * (cosines - margin)
    pull = pull.masked_fill(~same | itself, -torch.inf).logsumexp(1)
    push = push.masked_fill(same, -torch.inf).logsumexp(1)
    return functional.softplus(pull + push).mean()
