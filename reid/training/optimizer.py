"""The optimiser of a recipe."""

from collections.abc import Iterable

import torch
from torch import nn

from reid.recipe import Optimizer


def build_optimizer(
    parameters: Iterable[tuple[str, nn.Parameter]], optimizer: Optimizer, base: float
) -> torch.optim.Optimizer:
    """Adam or SGD over named parameters, frozen ones left out; two groups, weights and biases.

    Each group carries its `factor`, by which `set_learning_rate` scales the rate. A parameter is a bias if its name
    says so, as in reid-strong-baseline solver/build.py; batch-norm weights are decayed like any weight.
    """
    trainable = [(name, parameter) for name, parameter in parameters if parameter.requires_grad]
    weights = [parameter for name, parameter in trainable if "bias" not in name]
    biases = [parameter for name, parameter in trainable if "bias" in name]
    groups = [
        {"params": weights, "factor": 1.0, "weight_decay": optimizer.weight_decay},
        {"params": biases, "factor": optimizer.bias_factor, "weight_decay": optimizer.bias_weight_decay},
    ]
    if optimizer.name == "sgd":
        built: torch.optim.Optimizer = torch.optim.SGD(groups, lr=base, momentum=optimizer.momentum)
    else:
        built = torch.optim.Adam(groups, lr=base, fused=weights[0].is_cuda)
    set_learning_rate(built, base)
    return built


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group of an optimiser from `build_optimizer` its share of `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
