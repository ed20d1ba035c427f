"""Comparisons of single arms: the cumulative ladder, one trick alone, one trick taken away."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reid.reporting.analysis import analyse, cells
from reid.reporting.least_squares import Array


def ladder(table: pd.DataFrame, order: Sequence[str], metric: str) -> pd.DataFrame:
    """The factors of `order` switched on one after another: a row a rung, "none" first, indexed by what was added.

    Columns: mean of the rung's arm (over seeds, adjusted for them where runs are missing); step from the rung before
    with low and high (95 %); band_low and band_high, the least and greatest mean that the same rung takes over all k!
    orders. Rung j takes each of the C(k, j) arms with j factors in equally many orders, so the band is the range of
    these arms; it covers the arms that have a finished run. A rung without one is NaN.
    """
    k = len(order)
    analysis = analyse(table, order, metric)
    means = analysis.infer_arms(np.eye(2**k)).effect
    rungs = [2**k - 2 ** (k - j) for j in range(k + 1)]  # 000, 100, 110, 111
    steps = analysis.infer_arms(np.eye(2**k)[rungs[1:]] - np.eye(2**k)[rungs[:-1]])
    size = (cells(k) > 0).sum(axis=1)
    peers = [means[(size == j) & ~np.isnan(means)] for j in range(k + 1)]
    return pd.DataFrame(
        {
            "mean": means[rungs],
            "step": _after_none(steps.effect),
            "low": _after_none(steps.low),
            "high": _after_none(steps.high),
            "band_low": [arms.min() if len(arms) else np.nan for arms in peers],
            "band_high": [arms.max() if len(arms) else np.nan for arms in peers],
        },
        index=pd.Index(["none", *order], name="rung"),
    )


def _after_none(values: Array) -> Array:
    return np.concatenate([[np.nan], values])


def single_steps(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """Each factor alone (its arm minus none) and taken away (all minus all but it), index factor.

    Columns alone, alone_low, alone_high, away, away_low, away_high; both are gains, positive where the factor helps.
    """
    k = len(factors)
    arms, bits, last = np.eye(2**k), 2 ** np.arange(k)[::-1], 2**k - 1
    analysis = analyse(table, factors, metric)
    alone = analysis.infer_arms(arms[bits] - arms[0])
    away = analysis.infer_arms(arms[last] - arms[last - bits])
    columns = {
        "alone": alone.effect,
        "alone_low": alone.low,
        "alone_high": alone.high,
        "away": away.effect,
        "away_low": away.low,
        "away_high": away.high,
    }
    return pd.DataFrame(columns, index=pd.Index(factors, name="factor"))


def ties_with_best(table: pd.DataFrame, factors: Sequence[str], metric: str) -> tuple[int, int]:
    """Number of the best arm and how many other arms its 95 % intervals do not separate from it (-1: noise unknown)."""
    k = len(factors)
    analysis = analyse(table, factors, metric)
    best = int(np.nanargmax(analysis.infer_arms(np.eye(2**k)).effect))
    gaps = analysis.infer_arms(np.eye(2**k)[best] - np.eye(2**k))
    if np.isnan(analysis.noise.sd):
        return best, -1
    return best, int(np.count_nonzero(gaps.low <= 0)) - 1
