"""What a table of anyone's runs says of its factors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from reid.analysis.any_trainer.runs import METRIC, AnyRuns
from reid.analysis.effects import effects
from reid.statistics.design import Design, design_of
from reid.statistics.factor_coding import arm_names
from reid.statistics.linear_model import Analysis, analyse


@dataclass(frozen=True)
class AnyVerdict:
    """The effects of the factors on the metric, in the metric's own unit.

    `matters` are the differences that matter to the user, None where nothing was said. With `pairs_nil` the user takes
    interactions of two factors to be nil.
    """

    runs: AnyRuns
    matters: float | None = None
    pairs_nil: bool = False

    @cached_property
    def effects(self) -> pd.DataFrame:
        runs = self.runs
        return effects(runs.table, runs.factors, METRIC, self.matters, runs.titles)

    @cached_property
    def design(self) -> Design:
        return design_of(self.runs.table, self.runs.factors)

    @cached_property
    def analysis(self) -> Analysis:
        return analyse(self.runs.table, self.runs.factors, METRIC)

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

    @property
    def constant(self) -> bool:
        """Whether every run that counts has one and the same value."""
        return bool(np.ptp(self.runs.values) == 0)
