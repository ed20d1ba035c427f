"""What each factor does to the rate of divergence: runs that diverged are counted, never averaged in as numbers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from reid.reporting.coding import coding
from reid.reporting.least_squares import holm

Z = float(stats.norm.ppf(0.975))


def divergence(table: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Share of ended runs (finished or diverged) that diverged, at a factor's level and at its first; index factor.

    Columns: base_diverged, base_ended, diverged, ended (counts), effect (difference of the shares), low and high
    (95 %, Newcombe's interval from Wilson's scores, Statistics in Medicine 17, 1998), p (Fisher's exact test), p_holm.
    NaN where no run of a level has ended.
    """
    coded = coding(table, factors)
    ended = table["state"].isin(["finished", "diverged"]).to_numpy()
    diverged = (table["state"] == "diverged").to_numpy()
    codes = coded.codes(table)
    rows = []
    for term in coded.terms:
        groups = [ended & (codes[:, term.factor] == level) for level in (0, term.level)]
        (before, n), (after, m) = ((int((diverged & group).sum()), int(group.sum())) for group in groups)
        rows.append([before, n, after, m, *_compare(before, n, after, m)])
    columns = ["base_diverged", "base_ended", "diverged", "ended", "effect", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns, index=pd.Index([term.name for term in coded.terms], name="factor"))
    return frame.assign(p_holm=holm(frame["p"].to_numpy(dtype=float)))


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
