"""What is missing from a grid, and what that costs in precision."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reid.analysis.effects import estimate
from reid.statistics.design import design_of
from reid.statistics.least_squares import Array
from reid.statistics.linear_model import analyse


def precision_loss(table: pd.DataFrame, factors: Sequence[str], metric: str, asked: str = "") -> tuple[float, int, int]:
    """Standard error of an effect now over that of the whole plan, for runs of equal noise (mean over the factors that
    can be estimated; NaN without one), and how many effects and how many interactions of the plan are out of reach.
    `asked` is the design as the grid file names it."""
    planned = _scales(table.assign(state="finished", **{metric: 0.0}), factors, metric, asked)
    now = _scales(table, factors, metric, asked)
    lost = [np.isnan(after) & ~np.isnan(before) for before, after in zip(planned, now, strict=True)]
    ratio = now[0] / planned[0]
    known = ratio[~np.isnan(ratio)]
    return float(known.mean()) if len(known) else float("nan"), int(lost[0].sum()), int(lost[1].sum())


def _scales(table: pd.DataFrame, factors: Sequence[str], metric: str, asked: str) -> tuple[Array, Array]:
    """Standard errors of the effects, and of the interactions, for noise of standard deviation 1."""
    analysis = analyse(table, factors, metric)
    return estimate(analysis, design_of(table, factors, asked), table, metric).scale, analysis.infer_pairs().scale
