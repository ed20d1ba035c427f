"""A loss of your own: ArcFace on the angle between a feature and the weights of its class.

In a recipe: `losses: {arcface: {weight: 1}}`; as a factor of a grid: `losses.arcface.weight: [0, 1]`. Its curves are
arcface_loss and arcface_weighted.
"""

import torch
from torch import Tensor
from torch.nn import functional

import reid


class ArcFace(reid.LossSection):
    """Additive angular margin in radians, and the scale of the cosines."""

    margin: float = 0.3
    scale: float = 16.0


@reid.register_loss("arcface", ArcFace, title="ArcFace loss", source="Deng et al. 2019 (CVPR)")
def arcface(batch: reid.LossInputs, section: ArcFace) -> Tensor:
    """Cross-entropy of scale · cos(angle + margin at the true class); ()."""
    features = functional.normalize(batch.neck_feature, dim=1)
    cosines = features @ functional.normalize(batch.class_weights, dim=1).T
    angles = cosines.clamp(-1 + 1e-6, 1 - 1e-6).acos()
    true = functional.one_hot(batch.labels, cosines.shape[1]).bool()
    return functional.cross_entropy(
        section.scale * torch.where(true, angles + section.margin, angles).cos(), batch.labels
    )
