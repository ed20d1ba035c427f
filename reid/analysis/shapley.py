"""Shapley values: every factor's share of the way from none to all, averaged over all orders of adding them."""

from collections.abc import Sequence
from math import factorial

import numpy as np
import pandas as pd

from reid.statistics.factor_coding import require_switches
from reid.statistics.inference import benjamini_hochberg
from reid.statistics.least_squares import Array
from reid.statistics.linear_model import analyse


def shapley(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """Exact Shapley value of each factor with its 95 % interval: columns value, low, high, q (false discovery rate).

    Linear contrasts of the 2^k arm means, so their errors follow from the runs' noise; they add up to the mean of the
    arm with everything minus the arm with nothing. Where arms have no run, the arm means are those that main effects
    and two-factor interactions predict. NaN where these cannot be estimated. Raises InputError for a factor that has
    not two levels.
    """
    analysis = analyse(table, factors, metric)
    require_switches(analysis.coding, "a Shapley value")
    found = analysis.infer_cells(shapley_contrasts(len(factors)))
    columns = {"value": found.effect, "low": found.low, "high": found.high, "q": benjamini_hochberg(found.p)}
    return pd.DataFrame(columns, index=pd.Index(factors, name="factor"))


def shapley_contrasts(k: int) -> Array:
    """Weights (k, 2^k) of the arm means, arms in the order of their names."""
    on = np.arange(2**k)[:, None] >> np.arange(k)[::-1] & 1 == 1
    size = on.sum(axis=1)
    joins = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) if s < k else 0 for s in range(k + 1)])
    # An arm with the factor on is where it joined size - 1 others; with it off, where it is yet to join.
    return np.asarray(np.where(on, joins[size - 1][:, None], -joins[size][:, None]).T)
