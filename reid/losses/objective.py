"""What is minimised: the weighted sum of the losses a recipe turns on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from reid.losses.registry import LOSSES, LossInputs
from reid.recipe import Recipe


@dataclass(frozen=True)
class Objective:
    """The raw losses that are on, by name, the same by their weights, and the weighted sum `total`, all ()."""

    losses: dict[str, Tensor]
    weighted: dict[str, Tensor]
    total: Tensor


def objective(batch: LossInputs, recipe: Recipe) -> Objective:
    """Every loss with a weight, and their sum in the order of registration.

    Source: Luo et al. 2019, section 3; reid-strong-baseline layers/__init__.py.
    """
    on = {name: loss for name, loss in LOSSES.items() if loss.weight(recipe) > 0}
    losses = {name: loss.compute(batch, recipe) for name, loss in on.items()}
    weighted = {name: loss.weight(recipe) * losses[name] for name, loss in on.items()}
    total = torch.zeros((), device=batch.logits.device, dtype=batch.logits.dtype)
    for value in weighted.values():
        total = total + value
    return Objective(losses, weighted, total)
