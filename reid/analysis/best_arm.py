"""The best arm, and which others may be as good: Hsu's multiple comparisons with the best."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reid.statistics.dunnett import dunnett_critical
from reid.statistics.linear_model import analyse


def ties_with_best(table: pd.DataFrame, factors: Sequence[str], metric: str) -> tuple[str, int] | None:
    """The best arm, and how many others are not told apart from it (-1: noise unknown).

    None where there is no other, or means of arms cannot be told from those of seeds, as in blocks that confound them.

    An arm that is as good as the best is told apart from it in at most 5 % of grids, however many arms there are (Hsu,
    Multiple Comparisons, 1996: one-sided Dunnett).
    """
    analysis = analyse(table, factors, metric)
    arms = list(analysis.position)
    each = np.eye(len(arms))
    means = analysis.infer_arms(arms, each).effect
    if len(arms) < 2 or np.isnan(means).all():
        return None
    best = int(np.nanargmax(means))
    gaps = analysis.infer_arms(arms, each[best] - each)
    others = np.arange(len(arms)) != best
    if not (gaps.error[others] > 0).all():
        return arms[best], -1
    critical = dunnett_critical(len(arms) - 1, float(np.median(gaps.df[others])))
    return arms[best], int(np.count_nonzero(gaps.effect[others] <= critical * gaps.error[others]))
