"""Main effects with intervals and verdicts in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reid.reporting.analysis import Analysis, analyse, levels
from reid.reporting.interactions import interactions
from reid.reporting.least_squares import Inference, holm
from reid.reporting.verdict import LEVEL, call, more_seeds
from reid.reporting.words import signed


def effects(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """Main effect of each factor on `metric`: mean at its second level minus mean at its first, over all others.

    `table` is tidy (see `read_runs`); only finished runs count. Columns: effect, low and high (95 %), p, p_holm (over
    the factors), verdict. The region of practical equivalence is the standard deviation of a single run. Rows that the
    runs cannot estimate are NaN and their verdict says why.
    """
    analysis = analyse(table, factors, metric)
    found = analysis.infer_effects(np.eye(len(factors), len(factors) + len(analysis.pairs)))
    frame = pd.DataFrame(vars(found), index=pd.Index(factors, name="factor"))
    frame["p_holm"] = holm(found.p)
    pairs = interactions(table, factors, metric)
    frame["verdict"] = [
        _verdict(analysis, metric, row, i) + _dependence(analysis, table, pairs, metric, i)
        for i, row in enumerate(frame.to_dict("records"))
    ]
    return frame


def _verdict(analysis: Analysis, metric: str, row: Mapping[Any, Any], i: int) -> str:
    sd = float(analysis.noise.sd)
    if np.isnan(row["effect"]):
        same = len(set(analysis.signs[:, i])) < 2
        why = "finished runs have it at one level only" if same else "finished runs do not separate it from the others"
        return f"not estimable: the {len(analysis.signs)} {why}"
    if np.isnan(row["p"]):
        return "not estimable: no runs left over to measure the noise with; add a seed"
    words = call(metric, row["low"], row["high"], row["p_holm"] < LEVEL, sd)
    if words is None:
        seeds = more_seeds(row["effect"], len(set(analysis.arm_of)), analysis.seeds, sd, analysis.factors)
        return f"cannot tell yet - about {seeds} more seed{'s' * (seeds > 1)} would"
    return words


def _dependence(analysis: Analysis, table: pd.DataFrame, pairs: pd.DataFrame, metric: str, i: int) -> str:
    """The factors on which factor `i` depends: their interaction is significant and changes what `i` is said to do."""
    notes = []
    for j, (pair, p) in enumerate(zip(analysis.pairs, pairs["p_holm"], strict=True)):
        if i not in pair or not p < LEVEL:
            continue
        at = _simple_effects(analysis, i, j)
        first, second = (
            _direction(metric, *ends, float(analysis.noise.sd)) for ends in zip(at.low, at.high, strict=True)
        )
        if first != second:
            other = pairs.index[j][pair[0] == i]
            values = zip(levels(table[other]), at.effect, strict=True)
            notes.append(f"{other} ({', '.join(f'{level} {signed(metric, value)}' for level, value in values)})")
    return f"; depends on {' and '.join(notes)}" if notes else ""


def _simple_effects(analysis: Analysis, i: int, pair: int) -> Inference:
    """Effect of factor `i` at the first and at the second level of its partner in `pair`."""
    contrasts = np.zeros((2, analysis.factors + len(analysis.pairs)))
    contrasts[:, i] = 1
    contrasts[:, analysis.factors + pair] = -1, 1
    return analysis.infer_effects(contrasts)


def _direction(metric: str, low: float, high: float, rope: float) -> str | None:
    words = call(metric, low, high, significant=True, rope=rope)
    return words if words in ("helps", "hurts") else None
