"""What MLflow is told about a study and its trials: tags, parameters, metrics, notes. Knows folders, not mlflow."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reid.errors import InputError
from reid.store.run_folder import RunFolder
from reid.tracking.payload import Point, milliseconds, progress

OVER = ("complete", "pruned", "failed")
# A pruned trial is KILLED: it was ended on purpose before it had its value. reid.state tells it from a stopped one.
STATUS = {
    "complete": "FINISHED",
    "pruned": "KILLED",
    "failed": "FAILED",
    "running": "RUNNING",
    "waiting": "SCHEDULED",
}
COLORS = {"complete": "#1F77B4", "pruned": "#9E9E9E", "failed": "#D62728", "running": "#2CA02C", "waiting": "#D0D0D0"}
BEST = "#FF7F0E"
SIDES = {"winner": "winner on the test set", "defaults": "defaults on the test set", "rerun": "winner, validated again"}


@dataclass(frozen=True)
class StudyFolder:
    """study.json, trials.json and comparison.json of a study, as they were when read."""

    path: Path
    study: dict[str, Any]
    trials: list[dict[str, Any]]
    comparison: dict[str, Any] | None

    @property
    def name(self) -> str:
        return str(self.study["name"])

    @property
    def experiment(self) -> str:
        """The experiment's name: a grid may have the study's."""
        return f"study {self.name}"

    @property
    def metrics(self) -> list[str]:
        return [objective["metric"] for objective in self.study["objectives"]]

    @cached_property
    def best(self) -> int | None:
        """Number of the complete trial with the best first objective, the earliest of equals."""
        sign = 1 if self.study["objectives"][0]["direction"] == "maximize" else -1
        complete = [trial for trial in self.trials if trial["state"] == "complete"]
        best = max(complete, key=lambda trial: (sign * trial["values"][0], -trial["number"]), default=None)
        return None if best is None else int(best["number"])

    def state(self) -> str:
        """Complete once all trials are over; running while one is; else waiting for whoever goes on with it."""
        states = [trial["state"] for trial in self.trials]
        if sum(state in OVER for state in states) >= self.study["trials"]:
            return "complete"
        return "running" if "running" in states else "waiting"


def read_study(folder: Path) -> StudyFolder:
    """The study in `folder`. Raises InputError if there is none."""
    try:
        study = json.loads((folder / "study.json").read_text())
    except FileNotFoundError:
        raise InputError(
            f"{folder / 'study.json'}: a study's folder holds it, none found; make it with `reid tune`"
        ) from None
    files = {name: folder / f"{name}.json" for name in ("trials", "comparison")}
    found = {name: json.loads(file.read_text()) if file.is_file() else None for name, file in files.items()}
    return StudyFolder(folder, study, found["trials"] or [], found["comparison"])


def planned_studies(output: Path) -> list[Path]:
    """Folders of all studies under an output folder, oldest first."""
    folders = [file.parent for file in (output / "studies").glob("*/study.json")]
    return sorted(folders, key=lambda folder: (read_study(folder).study["created"], folder.name))


def study_params(study: StudyFolder) -> dict[str, Any]:
    """What no trial of the study changes: MLflow's parameters cannot be changed either."""
    asked = study.study
    ranges = {
        f"knob.{knob['name']}": ", ".join(map(str, knob["choices"]))
        or f"{knob['low']:g} to {knob['high']:g}{' log' if knob['log'] else ''}"
        + ("" if knob["or"] is None else f" or {knob['or']}")
        for knob in asked["knobs"]
    }
    return {
        "seeds": asked["seeds"],
        "objectives": study.metrics,
        "dataset": asked["dataset"]["name"],
        "dataset.fingerprint": asked["dataset"]["fingerprint"],
        **ranges,
    }


def study_tags(study: StudyFolder) -> dict[str, str]:
    """How it stands, and how it is searched, which may change between two launches."""
    return {
        "reid.state": study.state(),
        "reid.best_trial": "" if study.best is None else str(study.best),
        "reid.sampler": study.study["sampler"]["name"],
        "reid.pruner": study.study["pruner"],
        "mlflow.note.content": study_note(study),
    }


def study_note(study: StudyFolder) -> str:
    asked = study.study
    lines = [f"# {asked['title']}", asked["question"], f"`{asked['command']}`"]
    if study.comparison is not None:
        gap = study.comparison
        found = [f"{gap['metric']} of the winner minus the defaults, on the test set: **{_number(gap['difference'])}**"]
        found.append(f"95 % interval {_number(gap['low'])} to {_number(gap['high'])}, p = {_number(gap['p'])}")
        found.append(f"optimism of the search: {_number(gap['optimism'])}")
        lines.append("; ".join(found))
    return "\n\n".join([*(line for line in lines if line), f"```yaml\n{asked['yaml']}\n```"])


def study_points(study: StudyFolder) -> list[Point]:
    """The best value so far after every complete trial, by its number; and what the comparison found."""
    sign = 1 if study.study["objectives"][0]["direction"] == "maximize" else -1
    points, best = [], None
    for trial in sorted(study.trials, key=lambda one: one["ended"] or ""):
        if trial["state"] == "complete":
            best = max(value for value in (best, sign * trial["values"][0]) if value is not None)
            points.append(Point(f"best/{study.metrics[0]}", sign * best, milliseconds(trial["ended"]), trial["number"]))
    if study.comparison is not None:
        time = milliseconds(study.comparison["created"])
        told = ("difference", "low", "high", "p", "optimism")
        points += [
            Point(f"comparison/{key}", study.comparison[key], time) for key in told if study.comparison[key] is not None
        ]
    return points


def trial_tags(study: StudyFolder, trial: dict[str, Any]) -> dict[str, str]:
    best = trial["number"] == study.best
    return {
        "reid.state": trial["state"],
        "reid.best": str(best).lower(),
        "reid.reason": trial["reason"] or "",
        "mlflow.runColor": BEST if best else COLORS[trial["state"]],
        "mlflow.note.content": trial_note(trial, best),
    }


def trial_note(trial: dict[str, Any], best: bool) -> str:
    knobs = "\n".join(f"- **{name}**: {value}" for name, value in trial["params"].items())
    words = f"**{trial['state']}**{', the best so far' if best else ''}. {trial['reason'] or ''}".strip()
    return f"### Trial {trial['number']}\n\n{knobs}\n\n{words}"


def trial_points(study: StudyFolder, trial: dict[str, Any]) -> list[Point]:
    """Its values, the values on the way, and what it cost."""
    time = milliseconds(trial["started"] or study.study["created"])
    points = [
        Point(f"final/{metric}", value, time)
        for metric, value in zip(study.metrics, trial["values"] or [], strict=False)
    ]
    points += [Point(f"val/{study.metrics[0]}", one["value"], time, one["step"]) for one in trial["intermediate"]]
    return points + ([] if trial["seconds"] is None else [Point("time/train_seconds", trial["seconds"], time)])


def run_tags(study: StudyFolder, folder: RunFolder, name: str) -> dict[str, str]:
    """Tags of one training of a study, its environment among them."""
    run, state, (done, epochs) = folder.read("run"), folder.read("state"), progress(folder)
    environment = dict(run.get("environment", {}))
    environment |= environment.pop("packages", {})
    words = f"**{state['state']}** after {done} of {epochs} epochs. {state.get('reason') or ''}".strip()
    return {
        "reid.state": state["state"],
        "reid.seed": str(run["seed"]),
        "reid.code": run["code"],
        "mlflow.source.name": study.study["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.note.content": f"### {name}\n\n{words}\n\nFolder: `runs/{folder.signature}`",
        **{f"env.{key}": str(value) for key, value in environment.items()},
    }


def run_params(folder: RunFolder) -> dict[str, Any]:
    """Seed, data set and every recipe field by its dotted path, as recorded."""
    run = folder.read("run")
    flat = {f"{slot}.{field}": value for slot, fields in run["recipe"].items() for field, value in fields.items()}
    dataset = {"dataset": run["dataset"]["name"], "dataset.fingerprint": run["dataset"]["fingerprint"]}
    return {**flat, "seed": run["seed"], **dataset}


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
