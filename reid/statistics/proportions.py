"""Proportions and their differences, with intervals."""

import numpy as np
from scipy import special

Z = float(special.ndtri(0.975))


def difference_of_shares(before: int, n: int, after: int, m: int) -> list[float]:
    """Share `after` of m minus share `before` of n, its interval's ends and p-value (Newcombe, Fisher); NaN of none."""
    if not n or not m:
        return [np.nan] * 4
    base, share = before / n, after / m
    if before == after == 0:
        return [0.0, -wilson(0, n)[1], wilson(0, m)[1], 1.0]
    (base_low, base_high), (low, high) = wilson(before, n), wilson(after, m)
    difference = share - base
    below = np.hypot(share - low, base_high - base)
    above = np.hypot(high - share, base - base_low)
    from scipy import stats  # half a second of import, which a table without divergence need not wait for

    p = stats.fisher_exact([[before, n - before], [after, m - after]]).pvalue
    return [difference, float(difference - below), float(difference + above), min(float(p), 1.0)]


def wilson(count: int, total: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927); all of 0 to 1 where there is nothing to count."""
    if not total:
        return 0.0, 1.0
    middle = (count + Z**2 / 2) / (total + Z**2)
    half = Z / (total + Z**2) * np.sqrt(count * (total - count) / total + Z**2 / 4)
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)
