"""Two-factor interactions: exploratory, beside the main effects."""

from collections.abc import Sequence

import pandas as pd

from reid.statistics.design import design_of
from reid.statistics.inference import benjamini_hochberg
from reid.statistics.linear_model import analyse


def interactions(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """Interaction of every pair of factors: effect, low, high (95 % each), q (the false discovery
    rate over the pairs, Benjamini and Hochberg); index (factor, factor).

    The usual contrast with half-difference scaling: half of (effect of A with B minus effect of A without B). So the
    effect of A is `effects[A] + interaction` with B and `effects[A] - interaction` without, and all contrasts share one
    standard error. A factor of more than two levels has a row a level against its first. NaN where the finished runs
    cannot estimate it, by what is missing or by aliases.
    """
    analysis = analyse(table, factors, metric)
    terms, pairs = analysis.coding.terms, analysis.coding.pairs
    found = analysis.infer_pairs()
    index = pd.MultiIndex.from_tuples([(terms[a].name, terms[b].name) for a, b in pairs], names=["factor", "with"])
    columns = {"effect": found.effect, "low": found.low, "high": found.high, "q": benjamini_hochberg(found.p)}
    return pd.DataFrame(columns, index=index)


def alias_sums(table: pd.DataFrame, factors: Sequence[str], metric: str) -> pd.DataFrame:
    """What a fraction can say of effects that it cannot tell apart: their sum, with the signs that the design gives.

    A row a group: effect, low, high (95 % each), q over the groups; index: the group's effects joined by " + " or
    " − ", a main effect by its factor and an interaction as "a×b". Empty where nothing is aliased.
    """
    analysis, design = analyse(table, factors, metric), design_of(table, factors)
    names = [term.name for term in analysis.coding.terms]
    found = analysis.infer_effects(design.alias_contrasts)
    values = {"effect": found.effect, "low": found.low, "high": found.high, "q": benjamini_hochberg(found.p)}
    return pd.DataFrame(values, index=pd.Index(design.alias_sums(names), name="sum"))
