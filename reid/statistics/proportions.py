"""Proportions and their differences, with intervals."""

import numpy as np
from scipy import stats


def _compare(before: int, n: int, after: int, m: int) -> list[float]:
    """Difference of two shares, its interval and its p-value."""
    if not n or not m:
        return [np.nan] * 4
    base, share = before / n, after / m
    (base_low, base_high), (low, high) = wilson(before, n), wilson(after, m)
    difference = share - base
    below = np.hypot(share - low, base_high - base)
    above = np.hypot(high - share, base - base_low)
    p = stats.fisher_exact([[before, n - before], [after, m - after]]).pvalue
    return [difference, difference - below, difference + above, float(p)]


def wilson(count: int, total: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927)."""
    middle = (count + Z**2 / 2) / (total + Z**2)
    half = Z / (total + Z**2) * np.sqrt(count * (total - count) / total + Z**2 / 4)
    return float(middle - half), float(middle + half)


Z = float(stats.norm.ppf(0.975))
