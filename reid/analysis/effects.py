"""The effect of each factor with its interval and a verdict in words."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from reid.analysis.interactions import interactions
from reid.analysis.ladder import alone, away, steps
from reid.analysis.verdict import LEVEL, Kind, Verdict, advice, call, seeds_needed
from reid.metrics.formatting import signed
from reid.statistics.design import ALONE, AWAY, STEP, Design, design_of
from reid.statistics.least_squares import Array, Inference, holm
from reid.statistics.linear_model import Analysis, analyse


def effects(
    table: pd.DataFrame,
    factors: Sequence[str],
    metric: str,
    rope: float | None = None,
    titles: Mapping[str, str] | None = None,
    asked: str = "",
) -> pd.DataFrame:
    """Effect of each factor on `metric`, with its 95 % interval: mean at its second level minus mean at its first.

    `table` is tidy (see `read_runs`): a row a planned run; only finished runs count as numbers. The effect is the main
    effect, averaged over all levels of the others; in a leave-one-out, add-one-in or ladder design it is the single
    step that the design is made of (`design_of(table, factors, asked).estimand` says which; `asked` is the design as
    the grid file names it). A factor of more than two levels has a row a level against its first, named "factor=level".

    Columns: effect, low and high (95 %), p, p_holm (over the rows), kind (a `Kind`), verdict (the same in words).
    `rope` is half the width of the region of practical equivalence, in units of the metric; by default the standard
    deviation of a single run. `titles` are names for the verdicts' words. Rows that the runs cannot estimate are NaN
    and their verdict says why.
    """
    analysis, design = analyse(table, factors, metric), design_of(table, factors, asked)
    found = estimate(analysis, design, table, metric)
    names = [term.name for term in analysis.coding.terms]
    columns = {"effect": found.effect, "low": found.low, "high": found.high, "p": found.p, "p_holm": holm(found.p)}
    frame = pd.DataFrame(columns, index=pd.Index(names, name="factor"))
    words = _Words(analysis, design, table, metric, rope, [(titles or {}).get(name, name) for name in names])
    pairs = interactions(table, factors, metric)["p_holm"].to_numpy()
    rows = zip(frame.to_dict("records"), found.scale * analysis.noise.sd, strict=True)
    verdicts = [words.verdict(i, row, error) for i, (row, error) in enumerate(rows)]
    frame["kind"] = [verdict.kind for verdict in verdicts]
    frame["verdict"] = [verdict.words + words.dependence(i, pairs) for i, verdict in enumerate(verdicts)]
    return frame


def estimate(analysis: Analysis, design: Design, table: pd.DataFrame, metric: str) -> Inference:
    """Inference on what the design calls the effect of every term."""
    if design.estimand == AWAY:
        return away(analysis)
    if design.estimand == ALONE:
        return alone(analysis)
    if design.estimand == STEP and design.order is not None:
        ordered = steps(analyse(table, design.order, metric))
        place = [design.order.index(name) for name in design.coding.names]
        return Inference(*(values[place] for values in vars(ordered).values()))
    return analysis.infer_main()


class _Words:
    """What is said of the terms of an analysis."""

    def __init__(
        self,
        analysis: Analysis,
        design: Design,
        table: pd.DataFrame,
        metric: str,
        rope: float | None,
        titles: list[str],
    ) -> None:
        self.analysis, self.design, self.metric, self.titles = analysis, design, metric, titles
        self.sd = float(analysis.noise.sd)
        self.rope = self.sd if rope is None else rope
        self.planned = table["seed"].nunique()
        self.to_come = int((~table["state"].isin(["finished", "diverged", "censored"])).sum())

    def verdict(self, i: int, row: Mapping[Hashable, float], error: float) -> Verdict:
        if np.isnan(row["effect"]):
            return Verdict(Kind.NOT_ESTIMABLE, f"not estimable: {self._obstacle(i)}")
        if np.isnan(row["p"]):
            return Verdict(Kind.NOT_ESTIMABLE, "not estimable: no runs left over to measure the noise with; add a seed")
        found = call(self.metric, row["low"], row["high"], row["p_holm"] < LEVEL, self.rope)
        if found.kind != Kind.UNDECIDED:
            return found
        arms, runs, terms = len(self.design.arms), self.analysis.runs, len(self.titles)
        needed = seeds_needed(row["effect"], error, runs, arms, terms, self.rope)
        return Verdict(Kind.UNDECIDED, advice(needed, self.planned, self.to_come))

    def _obstacle(self, i: int) -> str:
        aliases = [group for group in self.design.alias_groups if i in group]
        if aliases:
            others = [self.design.name(column, self.titles) for column in aliases[0] if column != i]
            return f"aliased with {', '.join(others)} in this design"
        runs = f"the {self.analysis.runs} finished runs"
        if self.design.estimand in (AWAY, ALONE, STEP):
            return f"{runs} lack one of its two arms"
        term = self.analysis.coding.terms[i]
        seen = {arm[term.factor] for arm in self.analysis.position}
        if len(seen) < 2:
            return f"{runs} have it at one level only"
        return f"{runs} do not separate it from the others"

    def dependence(self, i: int, p_holm: Array) -> str:
        """The terms on which term `i` depends: the interaction is significant and changes what `i` is said to do."""
        analysis, notes = self.analysis, []
        for pair, p in zip(analysis.coding.pairs, p_holm, strict=True):
            if i not in pair or not p < LEVEL:
                continue
            j = pair[pair[0] == i]
            at = simple_effects(analysis, i, j)
            first, second = (self._sign(low, high) for low, high in zip(at.low, at.high, strict=True))
            if first != second:
                term = analysis.coding.terms[j]
                levels = [analysis.coding.levels[term.factor][level] for level in (0, term.level)]
                values = zip(levels, at.effect, strict=True)
                words = ", ".join(f"{level} {signed(self.metric, value)}" for level, value in values)
                notes.append(f"{self.titles[j]} ({words})")
        return f"; depends on {' and '.join(notes)}" if notes else ""

    def _sign(self, low: float, high: float) -> Kind | None:
        kind = call(self.metric, low, high, significant=True, rope=self.rope).kind
        return kind if kind.has_sign else None


def simple_effects(analysis: Analysis, i: int, j: int) -> Inference:
    """Effect of term `i` at the base level of term `j`'s factor and at its own level."""
    coded = analysis.coding
    partner = coded.terms[j]
    contrasts = np.zeros((2, len(coded.terms) + len(coded.pairs)))
    contrasts[:, i] = 1
    for row, level in zip(contrasts, (0, partner.level), strict=True):
        for column, pair in enumerate(coded.pairs, start=len(coded.terms)):
            other = coded.terms[pair[pair[0] == i]]
            if i in pair and other.factor == partner.factor:
                row[column] = 2 * ((other.level == level) - 1 / len(coded.levels[other.factor]))
    return analysis.infer_effects(contrasts)
