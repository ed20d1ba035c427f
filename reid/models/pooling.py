"""From a feature map to one vector an image."""

import torch
from torch import Tensor, nn

from reid.recipe import Pooling


def generalized_mean(maps: Tensor, p: Tensor | float) -> Tensor:
    """Per channel of (B, C, H, W) the power mean (mean x^p)^(1/p), x at least 1e-6; (B, C).

    p = 1 is the average, p → ∞ the maximum. Source: Radenović et al. 2018 (TPAMI), equation 3; fast-reid.
    """
    return maps.clamp(min=1e-6).pow(p).mean((2, 3)).pow(1 / p)


class Pool(nn.Module):
    """The pooling of a recipe: maps (B, C, H, W) to (B, C). A learned power is the parameter `p` (1,)."""

    def __init__(self, pooling: Pooling) -> None:
        super().__init__()
        self.kind = pooling.kind
        self.p: Tensor | float = pooling.p
        if pooling.kind == "gem" and pooling.learned:
            self.p = nn.Parameter(torch.tensor([pooling.p]))

    def forward(self, maps: Tensor) -> Tensor:
        if self.kind == "gem":
            return generalized_mean(maps, self.p)
        return maps.amax((2, 3)) if self.kind == "max" else maps.mean((2, 3))
