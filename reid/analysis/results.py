"""Everything a report says about a grid, computed once."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from reid.analysis.best_arm import ties_with_best
from reid.analysis.divergence_rate import divergence
from reid.analysis.effects import effects
from reid.analysis.interactions import alias_sums, interactions
from reid.analysis.ladder import ladder, single_steps
from reid.analysis.looks import as_looked
from reid.analysis.published import compare
from reid.analysis.query_uncertainty import query_uncertainty
from reid.analysis.runs_table import COSTS, SCORES, SOURCES, mixture, read_runs
from reid.analysis.seed_pairing import Pairing, pairing
from reid.analysis.shapley import shapley
from reid.analysis.verdict import Scale
from reid.errors import InputError
from reid.files import DamagedFileError
from reid.metrics.spec import METRICS, is_fraction
from reid.statistics.design import Design, design_of
from reid.statistics.factor_coding import PLACEBO, Term, coding
from reid.statistics.inference import Inference
from reid.statistics.linear_model import Analysis, analyse, usable
from reid.store.looks import LookRecord, read_looks
from reid.store.plan import GridFolder, Plan, read_plan
from reid.store.run_records import RunRecord
from reid.tricks.paper import PAPER_TRICKS

MAIN = "mAP"
QUALITY = {name: METRICS[name].title for name in ("mAP", "rank1", "mINP")}
NOT_MEASURED = ("arm", PLACEBO, "seed", "signature", "state", "reason", "signs", "cut_epoch", "cut_mAP", *SOURCES)


@dataclass(frozen=True)
class Unavailable:
    """Why something is not known, in words."""

    reason: str


@dataclass(frozen=True)
class Results:
    """The plan, the table of runs, and what is computed from them. Metrics are fractions throughout.

    `matters` is from how much on an effect on the ranking metrics matters, a fraction; None: not declared.
    `mixed` says what the runs do not have in common.
    """

    grid: GridFolder
    runs: pd.DataFrame
    matters: float | None = None
    mixed: list[str] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        return self.grid.plan

    @cached_property
    def names(self) -> list[str]:
        return [factor.name for factor in self.plan.factors]

    @cached_property
    def terms(self) -> list[Term]:
        """What has an effect: a factor of two levels, or each level of another against its first."""
        return coding(self.runs, self.names).terms

    @cached_property
    def titles(self) -> dict[str, str]:
        """Each term in words; one that is not a switch with its levels: an effect goes from first to second."""
        return {term.name: self._title(term) for term in self.terms}

    def _title(self, term: Term) -> str:
        factor = self.plan.factors[term.factor]
        words = factor.title or factor.name
        return words if factor.is_switch else f"{words}: {factor.levels[0]} → {factor.levels[term.level]}"

    @cached_property
    def shorts(self) -> dict[str, str]:
        """Each term for a column's head."""
        factors = self.plan.factors
        heads = {term.name: factors[term.factor].head for term in self.terms}
        return {
            term.name: heads[term.name]
            if len(factors[term.factor].levels) == 2
            else f"{heads[term.name]} {factors[term.factor].levels[term.level]}"
            for term in self.terms
        }

    @cached_property
    def heads(self) -> dict[str, str]:
        """Each factor for a column's head."""
        return {factor.name: factor.head for factor in self.plan.factors}

    @cached_property
    def switches(self) -> bool:
        """Whether every factor is a switch, off or on."""
        return all(self.runs[name].dtype == bool for name in self.names)

    @cached_property
    def design(self) -> Design:
        return design_of(self.runs, self.names, self.plan.design)

    @cached_property
    def analysis(self) -> Analysis:
        return analyse(self.runs, self.names, MAIN, not self.plan.pairs_nil)

    @property
    def extras(self) -> list[str]:
        """Numeric columns of the table beyond the metrics and costs that every run has."""
        known = {*self.names, *SCORES, *COSTS, *NOT_MEASURED}
        numbers = self.runs.select_dtypes("number").columns
        return [name for name in numbers if name not in known and self.runs[name].notna().any()]

    def asked(self, signature: str) -> RunRecord | None:
        """What a run was asked, or None for a run without a readable folder."""
        readable = self.runs.set_index("signature").at[signature, "state"] != "unreadable"
        return self.grid.run(signature).read_run() if readable else None

    @cached_property
    def effects(self) -> dict[str, pd.DataFrame]:
        """Effects on each of the metrics and costs; verdicts call factors by their titles."""
        found = {}
        for metric in (*QUALITY, *COSTS, *self.extras):
            matters = self.matters if is_fraction(metric) else None
            found[metric] = effects(
                self.runs, self.names, metric, matters, self.titles, self.plan.design, self.plan.pairs_nil
            )
        until = self.plan.until
        if self.looks and until is not None and until.half_width is None:
            found[MAIN] = as_looked(found[MAIN], self.looks[-1], Scale.of(MAIN, self.matters))
        return found

    @cached_property
    def looks(self) -> tuple[LookRecord, ...]:
        """What a grid that grows was seen to say so far; none of other grids."""
        return read_looks(self.grid.path) if self.plan.until is not None else ()

    @cached_property
    def best(self) -> tuple[str, int]:
        """The best arm and how many others may be as good (-1: not known); by plain means where no others compare."""
        return ties_with_best(self.runs, self.names, MAIN) or (str(self.arms["mAP"].idxmax()), -1)

    @cached_property
    def placebo(self) -> Inference | None:
        """What the placebo is estimated to do to mAP; None in a grid without one."""
        if not self.plan.has_placebo:
            return None
        analysis = analyse(self.runs, [*self.names, PLACEBO], MAIN, not self.plan.pairs_nil)
        return analysis.infer_main().take([len(self.terms)])

    @cached_property
    def interactions(self) -> pd.DataFrame:
        return interactions(self.runs, self.names, MAIN)

    @cached_property
    def shapley(self) -> pd.DataFrame | None:
        """Shapley values, where every factor has two levels."""
        return shapley(self.runs, self.names, MAIN) if self.design.coding.switches else None

    @cached_property
    def singles(self) -> pd.DataFrame:
        return single_steps(self.runs, self.names, MAIN)

    @cached_property
    def order(self) -> list[str] | None:
        """The order of the ladder: the design's where it is one, the paper's for its six tricks."""
        return self.design.order or (list(PAPER_TRICKS) if set(self.names) == set(PAPER_TRICKS) else None)

    @cached_property
    def ladder(self) -> pd.DataFrame | None:
        usable = self.order is not None and self.design.coding.switches
        return ladder(self.runs, self.order, MAIN) if self.order and usable else None

    @cached_property
    def divergence(self) -> pd.DataFrame:
        return divergence(self.runs, self.names)

    @cached_property
    def alias_sums(self) -> pd.DataFrame:
        return alias_sums(self.runs, self.names, MAIN)

    @cached_property
    def published(self) -> pd.DataFrame:
        return compare(self.analysis, self.plan, self.terms, self.titles)

    @cached_property
    def queries(self) -> pd.DataFrame | Unavailable:
        """Uncertainty of the main effects over whom the queries show, or why it is not known."""
        folders = [self.grid.run(name) for name in self.runs["signature"][usable(self.runs, MAIN)]]
        try:
            ap = {folder.signature: folder.query_ap() for folder in folders}
            shown = [folder.query_identities() for folder in folders]
        except DamagedFileError as error:
            return Unavailable(str(error))
        for name, found in (("query_ap.npy", [*ap.values()]), ("query_identities.npy", shown)):
            if absent := sum(one is None for one in found):
                return Unavailable(f"not known, as {absent} of {len(folders)} finished runs have no {name}")
        kept = {name: values for name, values in ap.items() if values is not None}
        first, *others = [one for one in shown if one is not None]
        if not all(np.array_equal(first, other) for other in others) or {len(v) for v in kept.values()} != {len(first)}:
            return Unavailable("not known, as the runs do not have the same queries")
        return query_uncertainty(self.runs, self.names, kept, first)

    @cached_property
    def pairing(self) -> Pairing:
        return pairing(self.runs, MAIN)

    @cached_property
    def arms(self) -> pd.DataFrame:
        """A row a planned arm: levels, runs finished, plain mean and standard deviation over its finished runs."""
        finished = self.runs[self.runs["state"] == "finished"].groupby("arm")
        planned = self.runs.drop_duplicates("arm").set_index("arm").sort_index()
        frame = planned[self.names].copy()
        frame["finished"] = finished.size().reindex(frame.index, fill_value=0)
        for column in (*SCORES, *COSTS, *self.extras):
            frame[column] = finished[column].mean().reindex(frame.index)
            frame[f"{column}_sd"] = finished[column].std(ddof=1).reindex(frame.index)
        return frame


def read_results(grid_folder: Path, matters: float | None = None, allow_mixed: bool = False) -> Results:
    """The results of a grid; `matters`, a fraction, in place of what the grid file declares.

    Raises InputError where no run is finished, or, unless `allow_mixed`, where runs of two training codes, data sets or
    evaluation protocols are mixed.
    """
    grid = read_plan(grid_folder)
    runs = read_runs(grid)
    mixed = mixture(runs, [factor.name for factor in grid.plan.factors])
    if mixed and not allow_mixed:
        raise InputError(
            f"{grid_folder}: a report takes runs of one source only, found more than one {mixed[0]}; train the grid "
            "again in another --output folder, or give --allow-mixed, which prints the mixture on the first page"
        )
    if not (runs["state"] == "finished").any():
        states = ", ".join(f"{count} {state}" for state, count in runs["state"].value_counts().items())
        raise InputError(f"{grid_folder}: a report needs a finished run, found {states}; run the grid first")
    if matters is None and grid.plan.matters is not None:
        matters = grid.plan.matters / 100
    return Results(grid, runs, matters, mixed)
