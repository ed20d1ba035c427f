"""One iteration of training."""

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from reid.evaluation.features import precision
from reid.losses import move_centers
from reid.losses.combined import objective
from reid.models import Baseline
from reid.recipe import Recipe
from reid.training.diagnostics.conflict import gradient_conflict, not_measured


def train_step(
    model: Baseline,
    optimizer: torch.optim.Optimizer,
    centers: Tensor,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    measure_conflict: bool = False,
) -> Tensor:
    """One iteration in the reference's order; returns STEP_FIELDS but the learning rate, as a tensor on the device.

    Gradient conflict is NaN unless it is measured and both losses are on.
    """
    with precision(images.device):
        logits, shared = model(images)
    logits, features = logits.float(), shared.float()
    losses = objective(logits, features, labels, centers, recipe)
    conflict = not_measured(images.device)
    if measure_conflict and recipe.id_loss.weight > 0 and recipe.triplet.weight > 0:
        conflict = gradient_conflict(losses.id_loss, losses.triplet_loss, shared)
    optimizer.zero_grad()
    losses.total.backward()  # type: ignore[no-untyped-call]
    if not model.base.training:  # frozen: the optimiser passes over what has no gradient
        model.base.zero_grad()
    norm = get_total_norm([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
    optimizer.step()
    if recipe.center.weight > 0:
        move_centers(centers, features, labels, recipe.center.learning_rate)
    triplets = losses.triplets
    margin = 0.0 if recipe.triplet.margin == "soft" else recipe.triplet.margin
    measured = torch.stack(
        [
            losses.id_loss, losses.triplet_loss, losses.center_loss,
            recipe.id_loss.weight * losses.id_loss, recipe.triplet.weight * losses.triplet_loss,
            recipe.center.weight * losses.center_loss, losses.circle_loss, recipe.circle.weight * losses.circle_loss,
            losses.total,
            (logits.argmax(1) == labels).float().mean(), (triplets.dist_ap + margin > triplets.dist_an).float().mean(),
            triplets.dist_ap.mean(), triplets.dist_an.mean(), norm,
        ]
    )  # fmt: skip
    return torch.cat([measured, conflict]).detach()
