"""The study folder: study.json and trials.json, as docs/run-folder.md has them. Reports and MLflow are made from it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna

from reid.files import write_json
from reid.recipe.yaml import read_text
from reid.studies.importance import importances
from reid.studies.knobs import StudyKnob
from reid.studies.search_space import distribution
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan
from reid.studies.trials import records_of


def write_study(
    plan: StudyPlan, storage: Storage, folder: Path, dataset: dict[str, Any], command: str
) -> dict[str, Any]:
    """Write study.json and return it; a study that was launched before keeps its date."""
    folder.mkdir(parents=True, exist_ok=True)
    spec, file = plan.spec, folder / "study.json"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    created = json.loads(file.read_text())["created"] if file.is_file() else now
    record = {
        "name": spec.name,
        "title": spec.title or spec.name,
        "question": spec.question,
        "command": command,
        "created": created,
        "yaml": read_text(plan.file),
        "dataset": dataset,
        "recipe": plan.defaults.model_dump(mode="json"),
        "tricks": list(spec.tricks),
        "knobs": [knob.record() for knob in plan.knobs],
        "objectives": [
            {"metric": metric, "direction": direction}
            for metric, direction in zip(spec.objectives, plan.directions, strict=True)
        ],
        "sampler": spec.sampler.model_dump(),
        "pruner": spec.pruner,
        "trials": spec.trials,
        "seeds": list(spec.seeds),
        "fresh_seeds": plan.fresh_seeds,
        "split": plan.split.model_dump(),
        "storage": storage.shown,
    }
    write_json(file, record)
    return record


def write_trials(study: optuna.Study, knobs: list[StudyKnob], storage: Storage, folder: Path) -> list[dict[str, Any]]:
    """Write trials.json and return it. Under the storage's lock, so that no older state is written over a newer one."""
    with storage.lock():
        records = records_of(study, knobs)
        write_json(folder / "trials.json", records)
    return records


def write_importances(plan: StudyPlan, records: list[dict[str, Any]], folder: Path) -> None:
    """Write importances.json: which knob matters. A knob counts as one parameter, absent where it is off."""
    study = optuna.create_study(directions=plan.directions)
    spaces = {knob.name: distribution(knob) for knob in plan.knobs}
    for record in records:
        if record["state"] == "complete":
            params = {knob.name: record["params"][knob.name] for knob in plan.knobs}
            inside = {knob.name: params[knob.name] for knob in plan.knobs if params[knob.name] != knob.other}
            study.add_trial(
                optuna.trial.create_trial(
                    params=inside,
                    distributions={name: spaces[name] for name in inside},
                    values=record["values"],
                )
            )
    write_json(folder / "importances.json", importances(study))
