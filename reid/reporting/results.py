"""Everything a report says about a grid, computed once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from reid.errors import InputError
from reid.reporting.analysis import analyse
from reid.reporting.effects import effects
from reid.reporting.interactions import interactions
from reid.reporting.ladder import ladder, single_steps
from reid.reporting.least_squares import Noise
from reid.reporting.records import COSTS, METRICS, SWITCH, Plan, one_source, read_plan, read_runs
from reid.reporting.shapley import shapley
from reid.tricks import TRICKS

MAIN = "mAP"
QUALITY = {"mAP": "mAP", "rank1": "rank-1", "mINP": "mINP"}


@dataclass(frozen=True)
class Results:
    """The plan, the table of runs, and what is computed from them. Metrics are fractions throughout."""

    plan: Plan
    runs: pd.DataFrame

    @cached_property
    def names(self) -> list[str]:
        return [factor["name"] for factor in self.plan.factors]

    @cached_property
    def titles(self) -> dict[str, str]:
        """Each factor in words; one that is not a switch with its levels: an effect goes from first to second."""
        words = {factor["name"]: factor.get("title") or factor["name"] for factor in self.plan.factors}
        return words | {
            factor["name"]: f"{words[factor['name']]}: {' → '.join(factor['levels'])}"
            for factor in self.plan.factors
            if factor["levels"] != SWITCH
        }

    @cached_property
    def shorts(self) -> dict[str, str]:
        return {factor["name"]: factor.get("short") or factor["name"] for factor in self.plan.factors}

    @cached_property
    def switches(self) -> bool:
        """Whether every factor is a switch, off or on."""
        return all(self.runs[name].dtype == bool for name in self.names)

    def asked(self, signature: str) -> dict[str, Any] | None:
        """What a run was asked, or None for a run without a readable folder."""
        readable = self.runs.set_index("signature").at[signature, "state"] != "unreadable"
        return self.plan.run_folder(signature).read("run") if readable else None

    @cached_property
    def noise(self) -> Noise:
        return analyse(self.runs, self.names, MAIN).noise

    @cached_property
    def effects(self) -> dict[str, pd.DataFrame]:
        """Main effects on each of the metrics and costs; verdicts call factors by their titles."""
        titled = self.runs.rename(columns=self.titles)
        names = {title: name for name, title in self.titles.items()}
        measured = (*QUALITY, *COSTS)
        return {metric: effects(titled, list(names), metric).rename(index=names) for metric in measured}

    @cached_property
    def interactions(self) -> pd.DataFrame:
        return interactions(self.runs, self.names, MAIN)

    @cached_property
    def shapley(self) -> pd.DataFrame:
        return shapley(self.runs, self.names, MAIN)

    @cached_property
    def singles(self) -> pd.DataFrame:
        return single_steps(self.runs, self.names, MAIN)

    @cached_property
    def ladder(self) -> pd.DataFrame | None:
        """The ladder in the paper's order, where the factors are the paper's six tricks."""
        return ladder(self.runs, list(TRICKS), MAIN) if set(self.names) == set(TRICKS) else None

    @cached_property
    def arms(self) -> pd.DataFrame:
        """A row a planned arm: levels, runs finished, plain mean and standard deviation over its finished runs."""
        finished = self.runs[self.runs["state"] == "finished"].groupby("arm")
        planned = self.runs.drop_duplicates("arm").set_index("arm").sort_index()
        frame = planned[self.names].copy()
        frame["finished"] = finished.size().reindex(frame.index, fill_value=0)
        for column in (*METRICS, *COSTS):
            frame[column] = finished[column].mean().reindex(frame.index)
            frame[f"{column}_sd"] = finished[column].std(ddof=1).reindex(frame.index)
        return frame


def read_results(grid_folder: Path) -> Results:
    """The results of a grid.

    Raises InputError where no run is finished, or runs of two codes or data sets are mixed.
    """
    runs = read_runs(grid_folder)
    one_source(runs, grid_folder)
    if not (runs["state"] == "finished").any():
        states = ", ".join(f"{count} {state}" for state, count in runs["state"].value_counts().items())
        raise InputError(f"{grid_folder}: a report needs a finished run, found {states}; run the grid first")
    return Results(read_plan(grid_folder), runs)
