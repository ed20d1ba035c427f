"""How far the ID loss and the triplet loss pull the shared feature apart."""

import torch
from torch import Tensor

EVERY = 20  # iterations between two measurements

# Share of samples pulled apart, share pulled by both losses, mean cosine over those, cosine of the whole batch.
CONFLICT_FIELDS = ("conflict_share", "conflict_both", "conflict_cosine", "conflict_batch_cosine")


def gradient_conflict(id_loss: Tensor, triplet_loss: Tensor, feature: Tensor) -> dict[str, Tensor]:
    """CONFLICT_FIELDS, each (), of two losses () at the feature f_t (B, D) that both were computed from.

    A sample is pulled apart when the gradients of the two losses with respect to its row of f_t have a negative cosine.
    A sample that one of the losses leaves alone (no active triplet holds it) has no cosine: it counts among the B
    samples as not pulled apart, and not in the mean cosine, which is NaN where no sample has one; so is the batch's
    cosine, that of the two gradients (B, D) as one vector each. The cosines do not depend on the losses' weights.
    Only the head is walked back, not the trunk, and the graph is kept. Source: the conflict of tasks of Yu et al. 2020
    (gradient surgery), taken at the shared feature as in Luo et al. 2020, section III.
    """
    one, two = (torch.autograd.grad(loss, feature, retain_graph=True)[0].float() for loss in (id_loss, triplet_loss))
    dots, lengths = (one * two).sum(1), one.norm(dim=1) * two.norm(dim=1)
    both = lengths > 0
    cosines = torch.where(both, dots / lengths, 0.0)  # masked rather than picked: no wait for the device
    batch = dots.sum() / (one.norm() * two.norm())
    share, pulled = (both & (dots < 0)).float().mean(), both.float().mean()
    return dict(zip(CONFLICT_FIELDS, (share, pulled, cosines.sum() / both.sum(), batch), strict=True))
