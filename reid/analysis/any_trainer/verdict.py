"""What a table of anyone's runs says of its factors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from reid.analysis.any_trainer.asked import METRIC
from reid.analysis.any_trainer.runs import AnyRuns
from reid.analysis.effects import effects
from reid.analysis.interactions import interactions
from reid.analysis.verdict import Scale
from reid.statistics.design import Design, design_of
from reid.statistics.factor_coding import arm_names
from reid.statistics.linear_model import Analysis, analyse

SETTLED = {"failed": "censored", "unknown": "censored"}  # nobody is going to train them again


@dataclass(frozen=True)
class AnyVerdict:
    """The effects of the factors on the metric, in the metric's own unit.

    `matters` is from how much on an effect matters to the user, None where nothing was said. With `pairs_nil` the user
    takes interactions of two factors to be nil.
    """

    runs: AnyRuns
    matters: float | None = None
    pairs_nil: bool = False

    @cached_property
    def table(self) -> pd.DataFrame:
        return self.runs.table.replace({"state": SETTLED})

    @property
    def scale(self) -> Scale:
        return Scale(METRIC, self.runs.higher_is_better, self.matters)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """A row a term, as `reid.analysis.effects.effects` gives it."""
        return effects(
            self.table,
            self.runs.factors,
            METRIC,
            self.matters,
            self.runs.titles,
            self.asked,
            pairs_nil=self.pairs_nil,
            higher_is_better=self.runs.higher_is_better,
            paired=self.runs.paired,
        )

    @cached_property
    def asked(self) -> str:
        """The design to take the arms for: one for main effects where they can be estimated, else what the arms tell.

        A factorial with a hole has all arms of an add-one-in design too, and says far more than that.
        """
        return "" if np.isnan(self.analysis.infer_main().effect).any() else "full"

    @cached_property
    def interactions(self) -> pd.DataFrame:
        return interactions(self.table, self.runs.factors, METRIC)

    @cached_property
    def design(self) -> Design:
        return design_of(self.table, self.runs.factors, self.asked)

    @cached_property
    def analysis(self) -> Analysis:
        return analyse(self.table, self.runs.factors, METRIC, not self.pairs_nil)

    @cached_property
    def arms(self) -> pd.DataFrame:
        """A row an arm in the table: levels, runs, how many are finished, and the mean and sd of these."""
        table = self.runs.table.assign(arm=arm_names(self.design.coding.codes(self.runs.table)))
        by_arm = table.groupby("arm", sort=True)
        frame = by_arm[self.runs.factors].first()
        frame["runs"] = by_arm.size()
        counted = table[table["state"] == "finished"].groupby("arm")[METRIC]
        frame["finished"] = counted.size().reindex(frame.index, fill_value=0)
        frame["mean"] = counted.mean().reindex(frame.index)
        frame["sd"] = counted.std(ddof=1).reindex(frame.index)
        return frame

    @cached_property
    def best(self) -> tuple[str, int] | None:
        """The best arm, and how many others are not told apart from it (-1: noise unknown).

        None where there is no other, or means of arms cannot be told from those of seeds, as in blocks that confound
        them.
        """
        from reid.analysis.best_arm import ties_with_best  # half a second, and not for the table

        table = self.table if self.runs.higher_is_better else self.table.assign(**{METRIC: -self.table[METRIC]})
        return ties_with_best(table, self.runs.factors, METRIC)

    @property
    def constant(self) -> bool:
        """Whether every run that counts has one and the same value."""
        return bool(np.ptp(self.runs.values) == 0)
