"""Is a winner better than the defaults? A paired comparison of runs with the same fresh seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

LEVEL = 0.05


class Outcome(StrEnum):
    """What a comparison says of the winner."""

    BETTER = "better"
    WORSE = "worse"
    NOT_TOLD_APART = "not told apart"
    CANNOT_TELL = "cannot tell"


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

    def outcome(self, maximize: bool = True) -> Outcome:
        """What can be said of the winner, of a metric of which more is better or, not to `maximize`, less."""
        if self.obstacle:
            return Outcome.CANNOT_TELL
        if not self.p < LEVEL:
            return Outcome.NOT_TOLD_APART
        return Outcome.BETTER if (self.difference > 0) == maximize else Outcome.WORSE

    @property
    def obstacle(self) -> str:
        """Why nothing can be said; empty where something can."""
        if self.pairs >= 2:
            return ""
        seen = "one pair of runs" if self.pairs else "no pair of runs"
        return f"{seen} shows no noise, two or more are needed"


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
