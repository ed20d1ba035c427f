"""What MLflow is told about a study and its trials: tags, parameters, metrics, notes. Knows folders, not mlflow."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reid.store.run_folder import RunFolder
from reid.store.study import (
    ComparedRuns,
    ComparisonRecord,
    KnobRecord,
    KnobValues,
    StudyRecord,
    TrialRecord,
    TrialState,
    read_comparison,
    read_study,
    read_trials,
)
from reid.tracking import keys
from reid.tracking.payload import Params, Point, milliseconds, training_note, training_tags

# A pruned trial is KILLED: it was ended on purpose before it had its value. reid.state tells it from a stopped one.
STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAILED: "FAILED",
    TrialState.RUNNING: "RUNNING",
    TrialState.WAITING: "SCHEDULED",
}
COLORS = {
    TrialState.COMPLETE: "#1F77B4",
    TrialState.PRUNED: "#9E9E9E",
    TrialState.FAILED: "#D62728",
    TrialState.RUNNING: "#2CA02C",
    TrialState.WAITING: "#D0D0D0",
}
BEST = "#FF7F0E"
YAML = "study.yaml"


@dataclass(frozen=True)
class StudyFolder:
    """study.json, trials.json and comparison.json of a study, as they were when read."""

    path: Path
    record: StudyRecord
    trials: list[TrialRecord]
    comparison: ComparisonRecord | None

    @property
    def experiment(self) -> str:
        """The experiment's name: a grid may have the study's."""
        return f"study {self.record.name}"

    @cached_property
    def best(self) -> int | None:
        """Number of the best trial."""
        best = self.record.best(self.trials)
        return None if best is None else best.number

    def state(self) -> TrialState:
        """Complete once all trials are over; running while one is; else waiting for whoever goes on with it."""
        states = [trial.state for trial in self.trials]
        if sum(state.is_over for state in states) >= self.record.trials:
            return TrialState.COMPLETE
        return TrialState.RUNNING if TrialState.RUNNING in states else TrialState.WAITING


@dataclass(frozen=True)
class Side:
    """One side of the comparison: its key, its title, its runs with their values, and its knobs."""

    key: str
    title: str
    compared: ComparedRuns
    params: KnobValues


def sides(comparison: ComparisonRecord) -> list[Side]:
    winner, defaults = comparison.winner, comparison.defaults
    return [
        Side("winner", "winner on the test set", winner, winner.params),
        Side("defaults", "defaults on the test set", defaults, defaults.params),
        Side("rerun", "winner, validated again", comparison.rerun, winner.params),
    ]


def open_study(folder: Path) -> StudyFolder:
    """The study in `folder`. Raises InputError if there is none."""
    return StudyFolder(folder, read_study(folder), read_trials(folder), read_comparison(folder))


def study_params(study: StudyFolder) -> Params:
    """What no trial of the study changes: MLflow's parameters cannot be changed either."""
    asked = study.record
    return {
        "seeds": list(asked.seeds),
        "objectives": list(asked.metrics),
        "dataset": asked.dataset.name,
        "dataset.fingerprint": asked.dataset.fingerprint,
        **{f"knob.{knob.name}": _range(knob) for knob in asked.knobs},
    }


def _range(knob: KnobRecord) -> str:
    if knob.choices:
        return ", ".join(map(str, knob.choices))
    other = "" if knob.other is None else f" or {knob.other}"
    return f"{knob.low:g} to {knob.high:g}{' log' if knob.log else ''}{other}"


def study_tags(study: StudyFolder) -> dict[str, str]:
    """How it stands, and how it is searched, which may change between two launches."""
    return {
        "reid.state": study.state(),
        "reid.best_trial": "" if study.best is None else str(study.best),
        "reid.sampler": study.record.sampler.name,
        "reid.pruner": study.record.pruner,
        "mlflow.note.content": study_note(study, keys.LONGEST_TAG),
    }


def study_note(study: StudyFolder, longest: int) -> str:
    asked, gap = study.record, study.comparison
    lines = [f"# {asked.title}", asked.question, f"`{asked.command}`"]
    if gap is not None:
        found = [f"{gap.metric} of the winner minus the defaults, on the test set: **{_number(gap.difference)}**"]
        found.insert(0, gap.divergence) if gap.divergence else None
        found.append(f"95 % interval {_number(gap.low)} to {_number(gap.high)}, p = {_number(gap.p)}")
        found.append(f"optimism of the search: {_number(gap.optimism)}")
        lines.append("; ".join(found))
    where = f"the artifact `{YAML}` of the run {asked.name}"
    return keys.note("\n\n".join(line for line in lines if line), asked.yaml, where, longest)


def study_points(study: StudyFolder) -> list[Point]:
    """The best value so far after every complete trial, by its number; and what the comparison found."""
    objective, points = study.record.objectives[0], []
    ended = sorted(study.trials, key=lambda trial: trial.ended or "")
    values: list[float] = []
    for trial in ended:
        if trial.state == TrialState.COMPLETE and trial.values:
            values.append(objective.sign * trial.values[0])
            time = milliseconds(trial.ended or study.record.created)
            points.append(Point(f"best/{objective.metric}", objective.sign * max(values), time, trial.number))
    if (gap := study.comparison) is not None:
        told = {"difference": gap.difference, "low": gap.low, "high": gap.high, "p": gap.p, "optimism": gap.optimism}
        time = milliseconds(gap.created)
        points += [Point(f"comparison/{key}", value, time) for key, value in told.items() if value is not None]
    return points


def trial_tags(study: StudyFolder, trial: TrialRecord) -> dict[str, str]:
    best = trial.number == study.best
    return {
        "reid.state": trial.state,
        "reid.best": str(best).lower(),
        "reid.reason": trial.reason or "",
        "mlflow.runColor": BEST if best else COLORS[trial.state],
        "mlflow.note.content": trial_note(trial, best),
    }


def trial_note(trial: TrialRecord, best: bool) -> str:
    knobs = "\n".join(f"- **{name}**: {value}" for name, value in trial.params.items())
    words = f"**{trial.state}**{', the best so far' if best else ''}. {trial.reason or ''}".strip()
    return f"### Trial {trial.number}\n\n{knobs}\n\n{words}"


def trial_points(study: StudyFolder, trial: TrialRecord) -> list[Point]:
    """Its values, the values on the way, and what it cost."""
    time, metrics = milliseconds(trial.started or study.record.created), study.record.metrics
    points = [Point(f"final/{metric}", value, time) for metric, value in zip(metrics, trial.values or (), strict=False)]
    points += [Point(f"val/{metrics[0]}", one.value, time, one.step) for one in trial.intermediate]
    return points + ([] if trial.seconds is None else [Point("time/train_seconds", trial.seconds, time)])


def run_tags(study: StudyFolder, folder: RunFolder, name: str) -> dict[str, str]:
    """Tags of one training of a study, its environment among them."""
    note = training_note(folder, [f"### {name}"])
    state = folder.read_state().state
    return {"reid.state": state, **training_tags(folder.require_run(), study.record.command, note)}


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
