"""A study folder read back: what was asked, a row per trial, a row per run, the comparison and the importances."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from reid.analysis.runs_table import SOURCES, mixture, outcome
from reid.errors import InputError
from reid.metrics.spec import is_fraction
from reid.statistics.paired import PairedDifference, paired_difference
from reid.store.measured import metric_head, metric_title
from reid.store.run_folder import RunFolder
from reid.store.study import (
    ComparisonRecord,
    ImportanceRecord,
    KnobValues,
    StudyRecord,
    TrialRecord,
    TrialRun,
    TrialState,
    read_comparison,
    read_importances,
    read_trials,
)
from reid.store.study import read_study as read_study_record

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
        return metric_title(self.metric)

    @property
    def head(self) -> str:
        """With its unit."""
        return metric_head(self.metric)

    @property
    def label(self) -> str:
        """For an axis: rankings are those of validation identities."""
        return f"validation {self.head}" if is_fraction(self.metric) else self.head


@dataclass(frozen=True)
class Study:
    """A study's files. `trials` is indexed by number: state, reason, seconds, seeds, a column an objective and a knob.

    `runs` has a row a run of a trial or of the comparison: trial (number, or a side of it), seed, signature, state,
    reason and where it comes from. `state` of a trial is complete, pruned, diverged, failed, running or waiting.
    """

    folder: Path
    record: StudyRecord
    trial_records: list[TrialRecord]
    trials: pd.DataFrame
    runs: pd.DataFrame
    comparison: ComparisonRecord | None
    importances: ImportanceRecord | None
    mixed: list[str]

    @property
    def shares(self) -> ImportanceRecord | None:
        """The shares of knobs; None where they are not measured yet, or refused."""
        return self.importances if self.importances and self.importances.refused is None else None

    @cached_property
    def intermediate(self) -> dict[int, list[tuple[float, float]]]:
        """(step, value) of every trial on its way, by its number."""
        return {
            trial.number: [(float(reached.step), reached.value) for reached in trial.intermediate]
            for trial in self.trial_records
        }

    @cached_property
    def objectives(self) -> list[Objective]:
        return [Objective(one.metric, one.direction == "maximize") for one in self.record.objectives]

    @cached_property
    def complete(self) -> pd.DataFrame:
        return self.trials[self.trials["state"] == "complete"]

    @cached_property
    def best(self) -> int:
        """The number of the best complete trial by the first objective."""
        best = self.record.best(self.trial_records)
        assert best is not None, "a study without a complete trial is not read"
        return best.number

    def value(self, number: int, metric: str) -> float:
        """What a trial reached; NaN where it did not complete."""
        return float(self.trials[metric].to_dict()[number])

    @cached_property
    def defaults(self) -> KnobValues:
        """The paper's value of every knob."""
        return {knob.name: knob.default for knob in self.record.knobs}

    @cached_property
    def winner(self) -> KnobValues:
        """The knobs of the winner: as compared, or of the best trial so far."""
        if self.comparison:
            return self.comparison.winner.params
        (best,) = (trial for trial in self.trial_records if trial.number == self.best)
        return {knob.name: best.params.get(knob.name) for knob in self.record.knobs}

    @property
    def winner_words(self) -> str:
        return "winner" if self.comparison else "best so far"

    @cached_property
    def difference(self) -> PairedDifference | None:
        """Winner minus defaults over the fresh seeds; None before the comparison."""
        if not self.comparison:
            return None
        winner, defaults = (_numbers(side.values) for side in (self.comparison.winner, self.comparison.defaults))
        return paired_difference(winner, defaults, self.maximize, looks=self.comparison.looks)

    @property
    def maximize(self) -> bool:
        """Whether more of the compared metric is better."""
        metric = self.comparison.metric if self.comparison else None
        return next((one.maximize for one in self.objectives if one.metric == metric), True)

    @cached_property
    def front(self) -> list[int]:
        """Complete trials that no other beats on every objective, best on the first one first."""
        signs = [1 if one.maximize else -1 for one in self.objectives]
        values = self.complete[[one.metric for one in self.objectives]].to_numpy(dtype=float) * signs
        beaten = [bool(((values >= row).all(axis=1) & (values > row).any(axis=1)).any()) for row in values]
        order = np.argsort(-values[:, 0], kind="stable")
        return [int(self.complete.index[i]) for i in order if not beaten[i]]


def read_study(folder: Path, allow_mixed: bool = False) -> Study:
    """The study in `folder`.

    Raises InputError where a file is absent or not what it should be, where no trial is complete, or, unless
    `allow_mixed`, where its runs come from two training codes, data sets or evaluation protocols.
    """
    record = read_study_record(folder)
    if not (folder / "trials.json").is_file():
        raise InputError(
            f"{folder / 'trials.json'}: a study folder holds a trials.json, found none; give the folder of a study"
        )
    trials, compared = read_trials(folder), read_comparison(folder)
    runs = _runs(folder, trials, compared)
    table = _trials(record, trials, runs)
    mixed = _mixture(runs, [knob.path for knob in record.knobs])
    study = Study(folder, record, trials, table, runs, compared, read_importances(folder), mixed)
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


def _numbers(values: Sequence[float | None]) -> list[float]:
    """A run without a value (it diverged, or is not finished) as NaN."""
    return [np.nan if value is None else value for value in values]


def _runs(folder: Path, trials: Sequence[TrialRecord], compared: ComparisonRecord | None) -> pd.DataFrame:
    asked: list[tuple[int | str, TrialRun]] = [(trial.number, run) for trial in trials for run in trial.runs]
    if compared:
        sides = dict(zip((*SIDES, RERUN), (compared.winner, compared.defaults, compared.rerun), strict=True))
        asked += [(name, run) for name, side in sides.items() for run in side.runs]
    runs = folder.resolve().parents[1] / "runs"
    rows = [
        {"trial": owner, "seed": run.seed, "signature": run.signature, **outcome(RunFolder(runs / run.signature))}
        for owner, run in asked
    ]
    return pd.DataFrame(rows, columns=["trial", "seed", "signature", "state", "reason", *SOURCES])


def _mixture(runs: pd.DataFrame, paths: list[str]) -> list[str]:
    """What the runs should have in common: all of them the code, and those of a data set the rest too."""
    on_test = runs["trial"].isin(SIDES)
    code, rest = runs.assign(fingerprint=None, protocol=None), runs.assign(code=None)
    return [words for part in (code, rest[~on_test], rest[on_test]) for words in mixture(part, paths)]


def _trials(record: StudyRecord, trials: Sequence[TrialRecord], runs: pd.DataFrame) -> pd.DataFrame:
    """A row a trial. One that did not complete because a run of it diverged is called diverged."""
    names = [knob.name for knob in record.knobs]
    diverged = set(runs.loc[runs["state"] == "diverged", "trial"])
    rows = []
    for trial in trials:
        lost = trial.state in (TrialState.PRUNED, TrialState.FAILED) and trial.number in diverged
        state = "diverged" if lost else trial.state.value
        values = _numbers(trial.values or [None] * len(record.objectives))
        fixed = [trial.number, state, trial.reason or "", trial.seconds, len(trial.runs)]
        rows.append([*fixed, *values, *(trial.params.get(name) for name in names)])
    columns = ["number", "state", "reason", "seconds", "seeds", *record.metrics, *names]
    table = pd.DataFrame(rows, columns=columns).set_index("number").sort_index()
    table["seconds"] = table["seconds"].astype(float)
    return table.astype(dict.fromkeys(names, object))
