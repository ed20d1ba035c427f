"""Do paired seeds pay? The correlation of arms across seeds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from reid.statistics.linear_model import usable

ROUNDING = 1e-9  # of the largest value: what varies less does not vary


@dataclass(frozen=True)
class Pairing:
    """Correlation between two arms' results across seeds, with its 95 % interval.

    NaN where it cannot be measured: with one arm or one seed, or of a metric without noise.
    """

    correlation: float
    low: float
    high: float
    arms: int
    seeds: int

    @property
    def gain(self) -> float:
        """How many times as many unpaired runs a comparison of two arms would need."""
        return 1 / (1 - self.correlation)


def pairing(table: pd.DataFrame, metric: str) -> Pairing:
    """Intraclass correlation of the seeds, from the arms that have every seed that any arm has.

    With arms as columns and seeds as rows of a two-way table, F = (mean square of seeds) / (residual mean square) and
    the correlation is (F - 1) / (F - 1 + arms); the interval follows from F (Shrout and Fleiss 1979, case 3).
    """
    cells = table[usable(table, metric)].pivot_table(index="arm", columns="seed", values=metric).dropna()
    arms, seeds = cells.shape
    if arms < 2 or seeds < 2:
        return Pairing(np.nan, np.nan, np.nan, arms, seeds)
    values = cells.to_numpy(dtype=float)
    centred = values - values.mean(axis=1, keepdims=True)
    shift = centred.mean(axis=0)
    df = seeds - 1, (arms - 1) * (seeds - 1)
    residual = float(((centred - shift) ** 2).sum()) / df[1]
    if np.sqrt(residual) <= ROUNDING * np.abs(values).max():
        return Pairing(np.nan, np.nan, np.nan, arms, seeds)
    ratio = arms * float((shift**2).sum()) / df[0] / residual
    ends = ratio, ratio / stats.f.ppf(0.975, *df), ratio * stats.f.ppf(0.975, *reversed(df))
    correlation, low, high = (float((f - 1) / (f - 1 + arms)) for f in ends)
    return Pairing(correlation, low, high, arms, seeds)
