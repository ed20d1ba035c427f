"""Exponential moving average of weights: what is evaluated and kept where `optimizer.ema` asks for it."""

import copy

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from reid.models import Baseline


class Average:
    """An average of a model's weights and running statistics, updated after every step; a model of its own.

    At step t (from 1) average ← d · average + (1 − d) · model with d = min(decay, 1 − 1/(t + 1)), so the first steps
    count alike and the initial weights fade. Source: Tarvainen & Valpola 2017 (mean teacher).
    """

    def __init__(self, model: Baseline, decay: float) -> None:
        self.model = copy.deepcopy(model)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: Baseline, step: int) -> None:
        pairs = list(zip(self.model.state_dict().values(), model.state_dict().values(), strict=True))
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        blend = get_ema_multi_avg_fn(min(self.decay, 1 - 1 / (step + 1)))  # type: ignore[no-untyped-call]
        blend(*map(list, zip(*floats, strict=True)), 0)
        for average, value in pairs:
            if not average.is_floating_point():  # the number of batches seen
                average.copy_(value)
