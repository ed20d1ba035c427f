"""Two-factor interactions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reid.reporting.analysis import analyse
from reid.reporting.least_squares import holm


def interactions(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """Interaction of every pair of factors: effect, low, high (95 %), p_holm over the pairs; index (factor, factor).

    The usual contrast with half-difference scaling: half of (effect of A with B minus effect of A without B). So the
    effect of A is `effects[A] + interaction` with B and `effects[A] - interaction` without, and all contrasts share one
    standard error. NaN where the finished runs cannot estimate it.
    """
    analysis = analyse(table, factors, metric)
    contrasts = np.hstack([np.zeros((len(analysis.pairs), len(factors))), np.eye(len(analysis.pairs))])
    found = analysis.infer_effects(contrasts)
    index = pd.MultiIndex.from_tuples([(factors[i], factors[j]) for i, j in analysis.pairs], names=["factor", "with"])
    columns = {"effect": found.effect, "low": found.low, "high": found.high, "p_holm": holm(found.p)}
    return pd.DataFrame(columns, index=index)
