"""Is a winner better than the defaults? A paired comparison of runs with the same fresh seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.05


@dataclass(frozen=True)
class PairedDifference:
    """Mean of winner minus defaults over `pairs` seeds, its t interval and two-sided p-value.

    One pair has a difference but no interval and no p, no pair not even that: these are NaN.
    """

    difference: float
    low: float
    high: float
    p: float
    pairs: int

    def words(self, maximize: bool = True) -> str:
        """What can be said: "better", "worse", "not told apart", or why nothing can."""
        if self.pairs < 2:
            seen = "one pair of runs" if self.pairs else "no pair of runs"
            return f"cannot tell: {seen} shows no noise, two or more are needed"
        if not self.p < LEVEL:
            return "not told apart"
        return "better" if (self.difference > 0) == maximize else "worse"


def paired_difference(winner: Sequence[float], defaults: Sequence[float], level: float = 0.95) -> PairedDifference:
    """Winner minus defaults, value by value with the same seeds, with the t interval of this `level`.

    A seed that has no value on either side (NaN: it diverged) is no pair; `pairs` says how many there are. Raises
    ValueError for sides of different length. Valid only for values that had no part in choosing the winner.
    """
    if len(winner) != len(defaults):
        raise ValueError(f"{len(winner)} values of the winner against {len(defaults)} of the defaults: not paired")
    gaps = np.asarray(winner, dtype=float) - np.asarray(defaults, dtype=float)
    gaps = gaps[~np.isnan(gaps)]
    pairs = len(gaps)
    difference = float(gaps.mean()) if pairs else np.nan
    if pairs < 2:
        return PairedDifference(difference, np.nan, np.nan, np.nan, pairs)
    error = float(gaps.std(ddof=1)) / np.sqrt(pairs)
    half = float(stats.t.ppf((1 + level) / 2, pairs - 1)) * error
    if error == 0:  # the same runs on both sides, or a metric without noise
        return PairedDifference(difference, difference, difference, 0.0 if difference else 1.0, pairs)
    p = 2 * float(stats.t.sf(abs(difference) / error, pairs - 1))
    return PairedDifference(difference, difference - half, difference + half, p, pairs)
