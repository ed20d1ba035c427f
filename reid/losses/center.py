"""Centre loss and the movement of the centres."""

import torch
from torch import Tensor


def center_loss(features: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """Mean squared distance of every feature to its identity's centre.

    `features` (B, D), `labels` (B,), `centers` (K, D); returns (). Each squared distance is clamped to 1e-12..1e12,
    with no gradient where clamped. The constant (K − 1)·1e-12 is what the reference's clamped zero entries add.
    Source: Wen et al. 2016; reid-strong-baseline CenterLoss.
    """
    distances = (features - centers[labels]).square().sum(1).clamp(1e-12, 1e12)
    return distances.mean() + (len(centers) - 1) * 1e-12


@torch.no_grad()
def move_centers(centers: Tensor, features: Tensor, labels: Tensor, learning_rate: float) -> None:
    """One plain SGD step of `centers` (K, D), in place, on the unweighted centre loss of the batch.

    c_j ← c_j − learning_rate · (2/B) Σ_{y_b = j} (c_j − x_b). The reference divides the weighted gradient by the weight
    again; taking the unweighted gradient at once is the same number and is defined for weight 0.
    """
    pulls = centers[labels] - features
    distances = pulls.square().sum(1, keepdim=True)
    pulls = torch.where((distances >= 1e-12) & (distances <= 1e12), pulls, torch.zeros_like(pulls))
    centers.index_add_(0, labels, pulls.to(centers.dtype), alpha=-2 * learning_rate / len(features))
