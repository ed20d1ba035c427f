"""Learning rate and optimiser steps against the reference."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from reid.recipe import Optimizer, Schedule
from reid.training import learning_rate
from reid.training.optimizer import build_optimizer
from tests.golden.conftest import Golden, close

pytestmark = pytest.mark.golden
Read = Callable[[str], Golden]


def test_learning_rate(golden: Read) -> None:
    g = golden("lr_schedule")
    for case in g["case_names"]:
        for group, base in enumerate(g[f"{case}_base_lrs"]):
            schedule = Schedule(
                base=float(base),
                milestones=tuple(int(m) for m in g[f"{case}_milestones"]),
                gamma=float(g[f"{case}_gamma"]),
                warmup_epochs=int(g[f"{case}_warmup_iters"]),
                warmup_factor=float(g[f"{case}_warmup_factor"]),
                warmup=str(g[f"{case}_method"]),
            )
            rates = [learning_rate(schedule, epoch) for epoch in range(1, 121)]
            close(rates, g[f"{case}_lr_epoch1_to_120"][:, group])


def test_optimizer_steps(golden: Read) -> None:
    g = golden("optimizer_steps")
    for row, name in enumerate(g["conf_names"]):
        rate, bias_factor, decay, bias_decay = (float(v) for v in g["conf_values_lr_biasfactor_wd_wdbias"][row])
        parameters = {
            "fc.weight": nn.Parameter(torch.from_numpy(g["weight0"].copy())),
            "fc.bias": nn.Parameter(torch.from_numpy(g["bias0"].copy())),
            "scale": nn.Parameter(torch.from_numpy(g["bnweight0"].copy())),
            "frozen": nn.Parameter(torch.zeros(3), requires_grad=False),
        }
        kind = "sgd" if str(name).startswith("sgd") else "adam"
        fields = Optimizer(name=kind, weight_decay=decay, bias_factor=bias_factor, bias_weight_decay=bias_decay)
        optimizer = build_optimizer(parameters.items(), fields, rate)
        grouped = [p for group in optimizer.param_groups for p in group["params"]]
        assert all(p is not parameters["frozen"] for p in grouped)
        assert len(grouped) == 3
        for step in range(8):
            for key, array in (("fc.weight", "weight"), ("fc.bias", "bias"), ("scale", "bnweight")):
                parameters[key].grad = torch.from_numpy(g[f"grads_{array}"][step].copy())
            optimizer.step()
            for key, array in (("fc.weight", "weight"), ("fc.bias", "bias"), ("scale", "bnweight")):
                close(parameters[key], g[f"{name}_{array}"][step])
