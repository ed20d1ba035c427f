"""Comparisons of single arms: the cumulative ladder, one trick alone, one trick taken away."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reid.statistics.design import flipped
from reid.statistics.factor_coding import DIGITS, require_switches
from reid.statistics.inference import Inference, benjamini_hochberg
from reid.statistics.least_squares import Array
from reid.statistics.linear_model import Analysis, analyse


def ladder(table: pd.DataFrame, order: Sequence[str], metric: str) -> pd.DataFrame:
    """The factors of `order` switched on one after another: a row a rung, "none" first, indexed by what was added.

    Columns: mean of the rung's arm (over seeds, adjusted for them where runs are missing; as `Analysis.infer_arms`
    predicts it where that has random effects); step from the rung before with low and high (95 % each), and q of it
    (false discovery rate over the steps); band_low and band_high, the least and greatest mean that
    the same rung takes over all k! orders. Rung j takes each of the C(k, j) arms with j factors in equally many orders,
    so the band is the range of these arms; it covers the arms that have a finished run. A rung without one is NaN.
    Raises InputError for a factor that has not two levels.
    """
    k = len(order)
    analysis = analyse(table, order, metric)
    require_switches(analysis.coding, "a ladder")
    seen = list(analysis.position)
    means = dict(zip(seen, analysis.infer_arms(seen, np.eye(len(seen))).effect.tolist(), strict=True))
    rungs = ["1" * j + "0" * (k - j) for j in range(k + 1)]
    found = steps(analysis)
    peers = [[mean for arm, mean in means.items() if arm.count("1") == j] for j in range(k + 1)]
    return pd.DataFrame(
        {
            "mean": [means.get(rung, np.nan) for rung in rungs],
            "step": _after_none(found.effect),
            "low": _after_none(found.low),
            "high": _after_none(found.high),
            "band_low": [min(arms, default=np.nan) for arms in peers],
            "band_high": [max(arms, default=np.nan) for arms in peers],
            "q": _after_none(benjamini_hochberg(found.p)),
        },
        index=pd.Index(["none", *order], name="rung"),
    )


def _after_none(values: Array) -> Array:
    return np.concatenate([[np.nan], values])


def steps(analysis: Analysis) -> Inference:
    """What every factor adds to those before it, in the order of the analysis."""
    k = len(analysis.coding.names)
    rungs = ["1" * j + "0" * (k - j) for j in range(k + 1)]
    return differences(analysis, list(zip(rungs[1:], rungs[:-1], strict=True)))


def alone(analysis: Analysis) -> Inference:
    """Every term's own arm minus the base arm."""
    base = "0" * len(analysis.coding.names)
    return differences(analysis, [(flipped(base, t.factor, DIGITS[t.level]), base) for t in analysis.coding.terms])


def away(analysis: Analysis) -> Inference:
    """The arm with everything minus the arm without one, for every factor of two levels."""
    full = "1" * len(analysis.coding.names)
    return differences(analysis, [(full, flipped(full, t.factor, "0")) for t in analysis.coding.terms])


def differences(analysis: Analysis, arms: Sequence[tuple[str, str]]) -> Inference:
    """Mean of the first arm minus mean of the second, for every pair of arms."""
    names = sorted({arm for pair in arms for arm in pair})
    contrasts = np.zeros((len(arms), len(names)))
    for row, (one, other) in zip(contrasts, arms, strict=True):
        row[names.index(one)] += 1
        row[names.index(other)] -= 1
    return analysis.infer_arms(names, contrasts)


def single_steps(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """Each term alone (its arm minus the base) and taken away (all minus all but it), index factor.

    Columns alone, alone_low, alone_high, alone_q (false discovery rate over the factors), and the same of away; both
    are gains, positive where the factor helps. Taken away is NaN where a factor has more than two levels: there is no
    full set.
    """
    analysis = analyse(table, factors, metric)
    added, left = alone(analysis), away(analysis)
    columns = {
        f"{name}{suffix}": values
        for name, found in (("alone", added), ("away", left))
        for suffix, values in (
            ("", found.effect),
            ("_low", found.low),
            ("_high", found.high),
            ("_q", benjamini_hochberg(found.p)),
        )
    }
    frame = pd.DataFrame(columns, index=pd.Index([term.name for term in analysis.coding.terms], name="factor"))
    if not analysis.coding.switches:
        frame[["away", "away_low", "away_high", "away_q"]] = np.nan
    return frame
