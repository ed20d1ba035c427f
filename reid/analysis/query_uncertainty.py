"""How much an effect depends on whom the queries show: a jackknife over identities, apart from the seeds' noise."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from reid.statistics.least_squares import Array
from reid.statistics.linear_model import analyse, usable
from reid.store.run_folder import Identities


def query_uncertainty(
    table: pd.DataFrame, factors: Sequence[str], ap: Mapping[str, Array], identities: Identities
) -> pd.DataFrame:
    """95 % intervals of the main effects on mAP if other people had been searched for with the same networks.

    `ap` is the average precision per query (Q,) of every finished run, by signature, and `identities` (Q,) says whom a
    query shows. An effect is a weighted sum of the runs' mAP, so it is the mean over queries of one number a query.
    Columns low and high, index factor; NaN where an effect is not estimable, and for fewer than two identities.
    """
    analysis = analyse(table, factors, "mAP")
    signatures = table.loc[usable(table, "mAP"), "signature"]
    matrix = np.array([ap[signature] for signature in signatures])
    matched = np.isfinite(matrix).all(axis=0)
    per_query = analysis.main_weights() @ matrix[:, matched]
    per_query[np.isnan(analysis.infer_main().effect)] = np.nan
    mean, half = clustered_mean(per_query, identities[matched])
    names = [term.name for term in analysis.coding.terms]
    return pd.DataFrame({"low": mean - half, "high": mean + half}, index=pd.Index(names, name="factor"))


def clustered_mean(values: Array, clusters: Identities) -> tuple[Array, Array]:
    """Means (rows,) of `values` (rows, n), and half their 95 % intervals, where values of one cluster are alike.

    The queries of one person are no independent witnesses, so persons are left out one by one (jackknife; Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11), with Student's t of one less than there are of
    them. Unlike percentiles of resampled persons it holds for few of them: for 15 they cover .89 instead of .95.
    """
    groups = pd.DataFrame(values.T).groupby(clusters)
    sums, sizes = groups.sum(min_count=1).to_numpy().T, groups.size().to_numpy()
    total, count = len(sizes), sizes.sum()
    mean = values.mean(axis=1)
    if total < 2:
        return mean, np.full_like(mean, np.nan)
    without = (sums.sum(axis=1, keepdims=True) - sums) / (count - sizes)
    error = np.sqrt((total - 1) / total * ((without - mean[:, None]) ** 2).sum(axis=1))
    return mean, stats.t.ppf(0.975, total - 1) * error
