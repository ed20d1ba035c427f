"""How much an effect depends on which queries were asked: a bootstrap over queries, apart from the seeds' noise."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from reid.statistics.least_squares import Array
from reid.statistics.linear_model import analyse, usable

DRAWS = 2000
CHUNK = 100


def query_uncertainty(table: pd.DataFrame, factors: Sequence[str], ap: Mapping[str, Array]) -> pd.DataFrame:
    """95 % intervals of the main effects on mAP if other queries of this kind had been asked of the same networks.

    `ap` is the average precision per query (Q,) of every finished run, by signature. An effect is a weighted sum of
    the runs' mAP, so it is the mean over queries of one number a query, and those are resampled (percentile bootstrap,
    2,000 draws of a fixed stream). Columns low and high, index factor; NaN where an effect is not estimable.
    """
    analysis = analyse(table, factors, "mAP")
    signatures = table.loc[usable(table, "mAP"), "signature"]
    matrix = np.array([ap[signature] for signature in signatures])
    matrix = matrix[:, np.isfinite(matrix).all(axis=0)]
    per_query = analysis.main_weights() @ matrix
    per_query[np.isnan(analysis.infer_main().scale)] = np.nan
    low, high = np.quantile(resampled_means(per_query), [0.025, 0.975], axis=0)
    names = [term.name for term in analysis.coding.terms]
    return pd.DataFrame({"low": low, "high": high}, index=pd.Index(names, name="factor"))


def resampled_means(values: Array) -> Array:
    """Means (DRAWS, rows) over columns of `values` (rows, n), the columns drawn anew with replacement."""
    random, n = np.random.default_rng(0), values.shape[1]
    chunks = [random.multinomial(n, np.full(n, 1 / n), size=CHUNK) @ values.T / n for _ in range(DRAWS // CHUNK)]
    return np.concatenate(chunks)
