"""A study folder read back: what was asked, a row per trial, a row per run, the comparison and the importances."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reid.analysis.runs_table import SOURCES, mixture, outcome
from reid.errors import InputError
from reid.metrics.names import is_fraction
from reid.report.study.knob_axis import Knob, knob
from reid.statistics.paired import PairedDifference, paired_difference
from reid.store.run_folder import RunFolder

SIDES = ("winner", "defaults")
RERUN = "rerun"  # the winner again on the validation identities, with fresh seeds


@dataclass(frozen=True)
class Objective:
    """What a study looks for: a metric of the validation set, and whether more of it is better."""

    metric: str
    maximize: bool

    @property
    def factor(self) -> float:
        """From files to axes: fractions are drawn in percent."""
        return 100.0 if is_fraction(self.metric) else 1.0

    @property
    def words(self) -> str:
        return self.metric.replace("_", " ")

    @property
    def label(self) -> str:
        return f"validation {self.words}, %" if is_fraction(self.metric) else self.words


@dataclass(frozen=True)
class Study:
    """A study's files. `trials` is indexed by number: state, reason, seconds, seeds, a column an objective and a knob.

    `runs` has a row a run of a trial or of the comparison: trial (number, or a side of it), seed, signature, state,
    reason and where it comes from. `state` of a trial is complete, pruned, diverged, failed, running or waiting.
    """

    folder: Path
    content: dict[str, Any]
    trials: pd.DataFrame
    intermediate: dict[int, list[tuple[float, float]]]
    runs: pd.DataFrame
    comparison: dict[str, Any] | None
    importances: dict[str, Any] | None
    mixed: list[str]

    @cached_property
    def knobs(self) -> list[Knob]:
        return [knob(described) for described in self.content["knobs"]]

    @cached_property
    def objectives(self) -> list[Objective]:
        return objectives(self.content)

    @cached_property
    def complete(self) -> pd.DataFrame:
        return self.trials[self.trials["state"] == "complete"]

    @cached_property
    def best(self) -> int:
        """The number of the best complete trial by the first objective."""
        values = self.complete[self.objectives[0].metric]
        sign = 1 if self.objectives[0].maximize else -1
        return int(self.complete.index[int((sign * values).to_numpy(dtype=float).argmax())])

    def value(self, number: int, metric: str) -> float:
        """What a trial reached; NaN where it did not complete."""
        return float(self.trials[metric].to_dict()[number])

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The paper's value of every knob."""
        return {one.name: one.default for one in self.knobs}

    @cached_property
    def winner(self) -> dict[str, Any]:
        """The knobs of the winner: as compared, or of the best trial so far."""
        if self.comparison:
            return dict(self.comparison["winner"]["params"])
        return {one.name: self.trials.at[self.best, one.name] for one in self.knobs}

    @property
    def winner_words(self) -> str:
        return "winner" if self.comparison else "best so far"

    @cached_property
    def difference(self) -> PairedDifference | None:
        """Winner minus defaults over the fresh seeds; None before the comparison."""
        if not self.comparison:
            return None
        winner, defaults = (_numbers(self.comparison[side]["values"]) for side in SIDES)
        return paired_difference(winner, defaults)

    @property
    def maximize(self) -> bool:
        """Whether more of the compared metric is better."""
        metric = (self.comparison or {}).get("metric")
        return next((one.maximize for one in self.objectives if one.metric == metric), True)

    @cached_property
    def front(self) -> list[int]:
        """Complete trials that no other beats on every objective, best on the first one first."""
        signs = [1 if one.maximize else -1 for one in self.objectives]
        values = self.complete[[one.metric for one in self.objectives]].to_numpy(dtype=float) * signs
        beaten = [bool(((values >= row).all(axis=1) & (values > row).any(axis=1)).any()) for row in values]
        order = np.argsort(-values[:, 0], kind="stable")
        return [int(self.complete.index[i]) for i in order if not beaten[i]]


def objectives(content: dict[str, Any]) -> list[Objective]:
    return [Objective(one["metric"], one["direction"] == "maximize") for one in content["objectives"]]


def read_study(folder: Path, allow_mixed: bool = False) -> Study:
    """The study in `folder`.

    Raises InputError where a file is absent or not what it should be, where no trial is complete, or, unless
    `allow_mixed`, where its runs come from two training codes, data sets or evaluation protocols.
    """
    content, trials = (_read(folder, name, required=True) for name in ("study", "trials"))
    comparison, importances = (_read(folder, name, required=False) for name in ("comparison", "importances"))
    try:
        runs = _runs(folder, trials, comparison)
        table = _trials(content, trials, runs)
        mixed = _mixture(runs, [one["path"] for one in content["knobs"]])
        intermediate = {
            trial["number"]: [(float(one["step"]), float(one["value"])) for one in trial.get("intermediate") or []]
            for trial in trials
        }
        study = Study(folder, content, table, intermediate, runs, comparison, importances, mixed)
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: study.json and trials.json must be a study's, found no {error}") from None
    if mixed and not allow_mixed:
        raise InputError(
            f"{folder}: a report takes runs of one source only, found more than one {mixed[0]}; search again in "
            "another --output folder, or give --allow-mixed, which prints the mixture on the first page"
        )
    if study.complete.empty:
        counts = ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items()) or "no trial"
        reasons = table.loc[table["reason"] != "", "reason"]
        first = f" (trial {reasons.index[0]}: {reasons.iloc[0]})" if len(reasons) else ""
        raise InputError(
            f"{folder}: a report needs a complete trial, found {counts}{first}; go on with the search first"
        )
    return study


def _read(folder: Path, name: str, required: bool) -> Any:
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        if required:
            raise InputError(
                f"{path}: a study folder holds a {name}.json, found none; give the folder of a study"
            ) from None
        return None
    except ValueError as error:
        raise InputError(f"{path}: must be JSON, found {error}; `reid tune` writes it again") from None


def _numbers(values: list[float | None]) -> list[float]:
    """A run without a value (it diverged, or is not finished) as NaN."""
    return [np.nan if value is None else float(value) for value in values]


def _runs(folder: Path, trials: list[dict[str, Any]], comparison: dict[str, Any] | None) -> pd.DataFrame:
    asked = [(trial["number"], run) for trial in trials for run in trial.get("runs") or []]
    if comparison:
        asked += [(side, run) for side in (*SIDES, RERUN) for run in comparison.get(side, {}).get("runs") or []]
    runs = folder.resolve().parents[1] / "runs"
    rows = [
        {"trial": owner, "seed": run["seed"], "signature": run["signature"]}
        | outcome(RunFolder(runs / run["signature"]))
        for owner, run in asked
    ]
    return pd.DataFrame(rows, columns=["trial", "seed", "signature", "state", "reason", *SOURCES])


def _mixture(runs: pd.DataFrame, paths: list[str]) -> list[str]:
    """What the runs should have in common: all of them the code, and those of a data set the rest too."""
    on_test = runs["trial"].isin(SIDES)
    code, rest = runs.assign(fingerprint=None, protocol=None), runs.assign(code=None)
    return [words for part in (code, rest[~on_test], rest[on_test]) for words in mixture(part, paths)]


def _trials(content: dict[str, Any], trials: list[dict[str, Any]], runs: pd.DataFrame) -> pd.DataFrame:
    """A row a trial. One that did not complete because a run of it diverged is called diverged."""
    metrics = [one.metric for one in objectives(content)]
    names = [one["name"] for one in content["knobs"]]
    diverged = set(runs.loc[runs["state"] == "diverged", "trial"])
    rows = []
    for trial in trials:
        state = trial["state"]
        if state in ("pruned", "failed") and trial["number"] in diverged:
            state = "diverged"
        values = _numbers(trial.get("values") or [None] * len(metrics))
        fixed = [trial["number"], state, trial.get("reason") or "", trial.get("seconds"), len(trial.get("runs") or [])]
        rows.append([*fixed, *values, *((trial.get("params") or {}).get(name) for name in names)])
    columns = ["number", "state", "reason", "seconds", "seeds", *metrics, *names]
    table = pd.DataFrame(rows, columns=columns).set_index("number").sort_index()
    table["seconds"] = table["seconds"].astype(float)
    return table.astype(dict.fromkeys(names, object))
