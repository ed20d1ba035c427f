"""Is the noise of a run another with a factor than without? Then comparisons of single arms need that of their own.

Levene's test in Brown and Forsythe's form: an analysis of variance of the absolute residuals.
"""

import numpy as np
from scipy import special

from reid.statistics.factor_coding import Codes, Coding
from reid.statistics.least_squares import Array, Fit

UNEQUAL = 0.01  # level of the test, over all factors


def variance_groups(codes: Codes, arms_fit: Fit, coding: Coding) -> Codes:
    """For every column of values the factor whose levels differ most in noise, -1 where none is found to.

    From the residuals of the model (arms, seeds).
    """
    size = np.abs(arms_fit.residual).reshape(len(codes), -1)
    p = np.ones((codes.shape[1], size.shape[1]))
    if arms_fit.df >= len(codes) / 4:  # with fewer, residuals are hardly those of single runs
        for factor, levels in enumerate(coding.levels):
            groups = [size[codes[:, factor] == level] for level in range(len(levels))]
            groups = [group for group in groups if len(group) > 1]
            p[factor] = _one_way(groups)
    worst = p.argmin(axis=0)
    found = np.where(p.min(axis=0) * len(p) < UNEQUAL, worst, -1)
    return np.asarray(found.reshape(arms_fit.residual.shape[1:]), dtype=np.int64)


def _one_way(groups: list[Array]) -> Array:
    count, total = len(groups), sum(map(len, groups))
    if count < 2 or total <= count:
        return np.ones(groups[0].shape[1] if groups else 1)
    middle = sum(group.sum(axis=0) for group in groups) / total
    between = sum(len(group) * (group.mean(axis=0) - middle) ** 2 for group in groups) / (count - 1)
    within = sum(((group - group.mean(axis=0)) ** 2).sum(axis=0) for group in groups) / (total - count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(special.fdtrc(count - 1, total - count, between / within), nan=1.0))
