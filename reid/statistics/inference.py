"""Estimates with their errors: p-values, intervals, Holm's correction, and simultaneous intervals to match."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from reid.statistics.least_squares import Array
from reid.statistics.lenth import lenth_p, lenth_quantile

LEVEL = 0.05


@dataclass(frozen=True)
class Noise:
    """Standard deviation of a single run, its degrees of freedom, and in words how it was measured.

    `sd` is NaN and `df` 0 where nothing is left to measure it with. `contrasts` is how many contrasts Lenth's pseudo
    standard error was taken from, 0 where the noise was measured otherwise.
    """

    sd: Array
    df: float
    source: str
    contrasts: int = 0


@dataclass(frozen=True)
class Inference:
    """Estimates (q,) or (q, m) with standard errors and degrees of freedom; NaN where a contrast is not estimable.

    `scale` (q,) is the standard error for independent noise of standard deviation 1. An error of 0 is that of values
    that are all equal: nothing varies, so nothing is tested, and p and interval are NaN. `contrasts` as in `Noise`.
    """

    effect: Array
    scale: Array
    error: Array
    df: Array
    contrasts: int = 0

    @cached_property
    def p(self) -> Array:
        """Two-sided p-values."""
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.abs(self.effect) / np.where(self.error > 0, self.error, np.nan)
        if self.contrasts:
            return lenth_p(ratio, self.contrasts)
        return np.asarray(2 * special.stdtr(self.df, -ratio))

    def interval(self, level: float | Array = LEVEL) -> tuple[Array, Array]:
        """Ends of the intervals that miss with probability `level`, a number or one a contrast."""
        share = np.broadcast_to(np.asarray(level, dtype=float).reshape(-1, *[1] * (self.effect.ndim - 1)), self.p.shape)
        if self.contrasts:
            critical = lenth_quantile(share, self.contrasts)
        else:
            critical = -special.stdtrit(np.where(self.df > 0, self.df, np.nan), share / 2)
        half = critical * np.where(self.error > 0, self.error, np.nan)
        return self.effect - half, self.effect + half

    @property
    def low(self) -> Array:
        return self.interval()[0]

    @property
    def high(self) -> Array:
        return self.interval()[1]

    def take(self, rows: list[int]) -> "Inference":
        """The contrasts of `rows`, in this order."""
        return Inference(self.effect[rows], self.scale[rows], self.error[rows], self.df[rows], self.contrasts)


def holm(p: Array) -> Array:
    """Holm's step-down adjustment of a family of p-values (q,); NaN ones are not part of the family."""
    adjusted = np.full_like(p, np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.maximum.accumulate(np.minimum(p[order] * factors, 1))
    return adjusted


def simultaneous(found: Inference, level: float = LEVEL) -> tuple[Array, Array]:
    """Intervals of a family of contrasts (q,) that hold together, and agree with Holm's p: low and high.

    Bonferroni's intervals; of a contrast that Holm's procedure calls although they cross 0, the interval ends there
    (Strassburger and Bretz, Statistics in Medicine 27, 2008).
    """
    called = holm(found.p) < level
    low, high = found.interval(level / max(int((~np.isnan(found.p)).sum()), 1))
    low = np.where(called & (found.effect > 0), np.maximum(low, 0), low)
    high = np.where(called & (found.effect < 0), np.minimum(high, 0), high)
    return low, high


def benjamini_hochberg(p: Array) -> Array:
    """The false discovery rate at which each of a family of p-values (q,) is called; NaN ones are not part of it."""
    adjusted = np.full_like(p, np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))][::-1]
    ranks = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * len(order) / ranks, 1))
    return adjusted
