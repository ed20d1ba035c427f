"""The effect of each factor with its interval and a verdict in words."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from reid.analysis.divergence_rate import divergence
from reid.analysis.ladder import alone, away, steps
from reid.analysis.verdict import LEVEL, Evidence, Kind, Scale, Verdict, advice, seeds_needed
from reid.metrics.formatting import interval, signed
from reid.statistics.design import ALONE, AWAY, STEP, Design, design_of
from reid.statistics.inference import Inference, benjamini_hochberg, holm, simultaneous
from reid.statistics.linear_model import Analysis, analyse

ENDED = ("finished", "diverged", "censored")


def effects(
    table: pd.DataFrame,
    factors: Sequence[str],
    metric: str,
    matters: float | None = None,
    titles: Mapping[str, str] | None = None,
    asked: str = "",
    pairs_nil: bool = False,
    higher_is_better: bool | None = None,
    paired: bool = True,
) -> pd.DataFrame:
    """Effect of each factor on `metric`, with an interval and a verdict: mean at its second level minus at its first.

    `table` is tidy (see `read_runs`), a row a planned run: columns of the factors, seed, state and metric; only
    finished runs count as numbers. The effect is the main effect, averaged over all levels of the others; in a
    leave-one-out, add-one-in or ladder design it is the single step that the design is made of (`design_of(table,
    factors, asked)` says which; `asked` is the design as the grid file names it). A factor of more than two levels has
    a row a level against its first, named "factor=level".

    Columns: effect; low and high, which hold for all rows together in 95 % and agree with p_holm; p; p_holm (over the
    rows); kind (a `Kind`); verdict (the same in words). From two seeds on the error is how much effects vary from seed
    to seed; with one, every kind is `ONE_SEED`. `matters` is from how much on an effect matters, in units of the
    metric: only against it there is "no effect that matters". `titles` are names for the verdicts' words. `pairs_nil`
    takes interactions of two factors to be nil, so that a fraction that confounds main effects with them has an answer.
    `higher_is_better` overrules the list of metrics. Runs that are not `paired` have seeds of their own, so that the
    noise between them holds what effects vary, and none of it is of one seed only. Rows that the runs cannot estimate
    are NaN, the verdict says why.
    """
    analysis, design = analyse(table, factors, metric, not pairs_nil), design_of(table, factors, asked)
    found = estimate(analysis, design, table, metric)
    names = [term.name for term in analysis.coding.terms]
    low, high = simultaneous(found)
    columns = {"effect": found.effect, "low": low, "high": high, "p": found.p, "p_holm": holm(found.p)}
    frame = pd.DataFrame(columns, index=pd.Index(names, name="factor"))
    scale = Scale.of(metric, matters)
    if higher_is_better is not None:
        scale = Scale(metric, higher_is_better, matters)
    one_seed = paired and not analysis.over_seeds
    spoken = _Spoken(
        analysis, design, table, scale, found, [(titles or {}).get(name, name) for name in names], one_seed
    )
    verdicts = [spoken.verdict(i, *row) for i, row in enumerate(frame.itertuples(index=False, name=None))]
    verdicts = [Verdict(verdict.kind, verdict.words + spoken.dependence(i)) for i, verdict in enumerate(verdicts)]
    if scale.higher_is_better is not None:  # else divergence is no part of what is measured
        lost = divergence(table, factors).to_dict("records")
        rows = zip(verdicts, found.effect, low, high, lost, strict=True)
        verdicts = [spoken.after_divergence(*row) for row in rows]
    frame["kind"] = [verdict.kind for verdict in verdicts]
    frame["verdict"] = [verdict.words for verdict in verdicts]
    return frame


def estimate(analysis: Analysis, design: Design, table: pd.DataFrame, metric: str) -> Inference:
    """Inference on what the design calls the effect of every term."""
    if design.estimand == AWAY:
        return away(analysis)
    if design.estimand == ALONE:
        return alone(analysis)
    if design.estimand == STEP and design.order is not None:
        ordered = steps(analyse(table, design.order, metric))
        return ordered.take([design.order.index(name) for name in design.coding.names])
    return analysis.infer_main()


class _Spoken:
    """What is said of the terms of an analysis."""

    def __init__(
        self,
        analysis: Analysis,
        design: Design,
        table: pd.DataFrame,
        scale: Scale,
        found: Inference,
        titles: list[str],
        one_seed: bool,
    ) -> None:
        self.analysis, self.design, self.scale, self.found, self.titles = analysis, design, scale, found, titles
        self.planned = table["seed"].nunique()
        self.one_seed = one_seed
        self.pairs = benjamini_hochberg(analysis.infer_pairs().p) if analysis.pairs else np.full(0, np.nan)
        self.to_come = int((~table["state"].isin(ENDED)).sum())

    def verdict(self, i: int, effect: float, low: float, high: float, p: float, p_holm: float) -> Verdict:
        if np.isnan(effect):
            return Verdict(Kind.NOT_ESTIMABLE, f"not estimable: {self._obstacle(i)}")
        if np.isnan(p):
            return Verdict(Kind.NOT_ESTIMABLE, f"not estimable: {self._silence(i)}")
        verdict = self.scale.call(effect, low, high, p_holm)
        if self.one_seed:
            words = verdict.words or "cannot tell"
            return Verdict(Kind.ONE_SEED, f"this seed only: {words}")
        if verdict.kind is not Kind.UNDECIDED:
            return verdict
        evidence = Evidence(
            float(self.found.error[i]),
            float(self.found.df[i]),
            self.analysis.runs,
            self.analysis.seeds,
            int((~np.isnan(self.found.p)).sum()),
        )
        return Verdict(
            Kind.UNDECIDED, advice(seeds_needed(effect, evidence, self.scale.matters), self.planned, self.to_come)
        )

    def _silence(self, i: int) -> str:
        if self.found.error[i] == 0:
            return "runs of one arm do not differ, so there is no noise to compare it with"
        return "no runs left over to measure the noise with; add a seed"

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

    def after_divergence(
        self, verdict: Verdict, effect: float, low: float, high: float, lost: Mapping[Hashable, float]
    ) -> Verdict:
        """The verdict of a factor that changes how many runs diverge: this speaks first, as the means are of survivors.

        `lost` is its row of `divergence`.
        """
        if not lost["p_holm"] < LEVEL:
            return verdict
        prevents = bool(lost["effect"] < 0)
        counts = [
            f"{lost[name]:.0f} of {lost[ended]:.0f}"
            for name, ended in (("diverged", "ended"), ("base_diverged", "base_ended"))
        ]
        words = f"{'prevents' if prevents else 'causes'} divergence ({counts[0]} against {counts[1]})"
        if not np.isnan(low):
            words += f"; among survivors {signed(self.scale.metric, effect)} {interval(self.scale.metric, low, high)}"
        return Verdict(Kind.HELPS if prevents else Kind.HURTS, words)

    def dependence(self, i: int) -> str:
        """The terms on which term `i` depends: the interaction is significant and changes what `i` is said to do."""
        analysis, notes = self.analysis, []
        for pair, q in zip(analysis.coding.pairs if analysis.pairs else [], self.pairs, strict=True):
            if i not in pair or not q < LEVEL:
                continue
            j = pair[pair[0] == i]
            at = simple_effects(analysis, i, j)
            low, high = at.interval()
            signs = [self.scale.sign(a > 0) if a > 0 or b < 0 else None for a, b in zip(low, high, strict=True)]
            if signs[0] != signs[1]:
                term = analysis.coding.terms[j]
                levels = [analysis.coding.levels[term.factor][level] for level in (0, term.level)]
                values = zip(levels, at.effect, strict=True)
                words = ", ".join(f"{level} {signed(self.scale.metric, value)}" for level, value in values)
                notes.append(f"{self.titles[j]} ({words})")
        return f"; depends on {' and '.join(notes)}" if notes else ""


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
