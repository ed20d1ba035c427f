"""One iteration of training."""

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from reid.evaluation.features import precision
from reid.losses import LOSSES, LossInputs, batch_hard_triplet, move_centers
from reid.losses.objective import objective
from reid.models import Baseline
from reid.recipe import LOSS_SECTIONS, Recipe
from reid.training.diagnostics.conflict import CONFLICT_FIELDS, gradient_conflict

# Measured every iteration beside the losses; conflict is NaN where it is not measured.
MEASURED = ("total_loss", "accuracy", "active_triplets", "dist_ap", "dist_an", "gradient_norm", *CONFLICT_FIELDS)


def step_fields(recipe: Recipe) -> tuple[str, ...]:
    """The columns of a recipe's curves: every built-in loss, NaN where it is off, and the registered ones that are on.

    Each loss has two columns, `NAME_loss` and, times its weight, `NAME_weighted`.
    """
    names = [name for name, loss in LOSSES.items() if name not in LOSS_SECTIONS or loss.weight(recipe) > 0]
    losses = [column for name in names for column in (f"{name}_loss", f"{name}_weighted")]
    return "learning_rate", *losses, *MEASURED


def train_step(
    model: Baseline,
    optimizer: torch.optim.Optimizer,
    centers: Tensor,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    measure_conflict: bool = False,
) -> dict[str, Tensor]:
    """One iteration in the reference's order; returns what was measured, each () on the device, by column.

    A loss that is off is absent, and so is gradient conflict unless it is asked for and both of its losses are on.
    """
    with precision(images.device):
        output = model(images)
    shared = output.global_feature
    margin = None if recipe.triplet.margin == "soft" else recipe.triplet.margin
    feature, logits = shared.float(), output.logits.float()
    triplets = batch_hard_triplet(feature, labels, margin)
    weights = model.classifier.weight
    batch = LossInputs(logits, feature, output.neck_feature.float(), labels, weights, centers, triplets)
    found = objective(batch, recipe)
    conflict: dict[str, Tensor] = {}
    if measure_conflict and {"id", "triplet"} <= found.losses.keys():
        conflict = gradient_conflict(found.losses["id"], found.losses["triplet"], shared)
    optimizer.zero_grad()
    found.total.backward()  # type: ignore[no-untyped-call]
    if not model.base.training:  # frozen: the optimiser passes over what has no gradient
        model.base.zero_grad()
    norm = get_total_norm([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
    optimizer.step()
    if recipe.center.weight > 0:
        move_centers(centers, feature, labels, recipe.center.learning_rate)
    measured = {
        **{f"{name}_loss": loss for name, loss in found.losses.items()},
        **{f"{name}_weighted": loss for name, loss in found.weighted.items()},
        "total_loss": found.total,
        "accuracy": (logits.argmax(1) == labels).float().mean(),
        "active_triplets": (triplets.dist_ap + (margin or 0.0) > triplets.dist_an).float().mean(),
        "dist_ap": triplets.dist_ap.mean(),
        "dist_an": triplets.dist_an.mean(),
        "gradient_norm": norm,
        **conflict,
    }
    return {name: value.detach() for name, value in measured.items()}
