"""Learning rate as a pure function of the epoch."""

import math

from reid.recipe import Schedule


def learning_rate(schedule: Schedule, epoch: int) -> float:
    """Learning rate in force during `epoch`, counted from 1.

    base · warm-up · decay. The decay is gamma^(milestones ≤ epoch) in steps, (1 + cos(π·(epoch − 1)/epochs))/2 along a
    cosine. The warm-up factor is 1 from epoch `warmup_epochs` on, before that f + (1 − f)·epoch/warmup_epochs (linear)
    or f (constant). Source: reid-strong-baseline WarmupMultiStepLR as its trainer steps it: with milestone 40 the drop
    is in force in epoch 40. Cosine: Loshchilov & Hutter 2017 (SGDR), equation 5, without restarts, down to 0.
    """
    if schedule.decay == "cosine":
        rate = schedule.base * (1 + math.cos(math.pi * (epoch - 1) / schedule.epochs)) / 2
    else:
        rate = schedule.base * schedule.gamma ** sum(milestone <= epoch for milestone in schedule.milestones)
    if epoch >= schedule.warmup_epochs:
        return rate
    factor = schedule.warmup_factor
    if schedule.warmup == "linear":
        factor += (1 - factor) * epoch / schedule.warmup_epochs
    return rate * factor
