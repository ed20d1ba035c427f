"""Lenth's pseudo standard error: the noise of contrasts that have no replicates, with simulated critical values.

Lenth, "Quick and easy analysis of unreplicated factorials", Technometrics 31 (1989). The ratio of a contrast to the
pseudo standard error is no t; its distribution is simulated, as in Ye and Hamada, "Critical values of the Lenth method
for unreplicated factorial designs", Journal of Quality Technology 32 (2000).
"""

from functools import cache

import numpy as np

from reid.statistics.least_squares import Array

FEWEST_CONTRASTS = 7  # three factors; with fewer there are not enough small contrasts to stand for noise
RATIOS = 400_000


def pseudo_standard_error(contrasts: Array) -> Array:
    """1.5 x the median of the absolute contrasts (q,) or (q, m), those above 2.5 x a first such guess left out."""
    size = np.abs(contrasts)
    guess = 1.5 * np.median(size, axis=0)
    return np.asarray(1.5 * np.nanmedian(np.where(size <= 2.5 * guess, size, np.nan), axis=0))


def lenth_p(ratio: Array, contrasts: int) -> Array:
    """Share of null contrasts whose ratio to the pseudo standard error of so many `contrasts` is as large as this."""
    null = _null(contrasts)
    p = (len(null) - np.searchsorted(null, ratio) + 1) / (len(null) + 1)
    return np.where(np.isnan(ratio), np.nan, p)


def lenth_quantile(level: Array, contrasts: int) -> Array:
    """The ratio that a null contrast exceeds with probability `level`."""
    return np.asarray(np.quantile(_null(contrasts), 1 - level))


@cache
def _null(contrasts: int) -> Array:
    """Sorted ratios of contrasts that are noise alone, always the same."""
    random = np.random.default_rng(contrasts)
    draws = random.normal(size=(contrasts, RATIOS // contrasts))
    return np.sort(np.abs(draws / pseudo_standard_error(draws)).ravel())
