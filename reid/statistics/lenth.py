"""Lenth's pseudo standard error: the noise of contrasts that have no replicates.

Lenth, "Quick and easy analysis of unreplicated factorials", Technometrics 31 (1989).
"""

import numpy as np

from reid.statistics.least_squares import Array

FEWEST_CONTRASTS = 7  # three factors; with fewer there are not enough small contrasts to stand for noise


def pseudo_standard_error(contrasts: Array) -> Array:
    """1.5 x the median of the absolute contrasts (q,) or (q, m), those above 2.5 x a first such guess left out."""
    size = np.abs(contrasts)
    guess = 1.5 * np.median(size, axis=0)
    return np.asarray(1.5 * np.nanmedian(np.where(size <= 2.5 * guess, size, np.nan), axis=0))
