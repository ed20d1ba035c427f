"""What each factor does to the rate of divergence: runs that diverged are counted, never averaged in as numbers."""

from collections.abc import Sequence

import pandas as pd

from reid.statistics.factor_coding import coding
from reid.statistics.inference import holm
from reid.statistics.proportions import difference_of_shares


def divergence(table: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Share of ended runs (finished or diverged) that diverged, at a factor's level and at its first; index factor.

    Columns: base_diverged, base_ended, diverged, ended (counts), effect (difference of the shares), low and high
    (95 %, Newcombe's interval from Wilson's scores, Statistics in Medicine 17, 1998), p (Fisher's exact test), p_holm.
    NaN where no run of a level has ended.
    """
    coded = coding(table, factors)
    ended = table["state"].isin(["finished", "diverged"]).to_numpy()
    diverged = (table["state"] == "diverged").to_numpy()
    codes = coded.codes(table)
    rows = []
    for term in coded.terms:
        groups = [ended & (codes[:, term.factor] == level) for level in (0, term.level)]
        (before, n), (after, m) = ((int((diverged & group).sum()), int(group.sum())) for group in groups)
        rows.append([before, n, after, m, *difference_of_shares(before, n, after, m)])
    columns = ["base_diverged", "base_ended", "diverged", "ended", "effect", "low", "high", "p"]
    frame = pd.DataFrame(rows, columns=columns, index=pd.Index([term.name for term in coded.terms], name="factor"))
    return frame.assign(p_holm=holm(frame["p"].to_numpy(dtype=float)))
