"""The study folder, as docs/run-folder.md has it. Reports and MLflow are made from it."""

from collections.abc import Sequence
from pathlib import Path

import optuna

from reid.files import write_json, write_record
from reid.store.study import KnobRecord, StudyRecord, TrialRecord, TrialState, read_study
from reid.studies.importance import importances
from reid.studies.search_space import distribution
from reid.studies.storage import Storage
from reid.studies.trials import records_of


def write_study(record: StudyRecord, storage: Storage) -> StudyRecord:
    """Write study.json and return it; a study that was launched before keeps its date."""
    folder = storage.folder
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "study.json").is_file():
        record = record.model_copy(update={"created": read_study(folder).created})
    write_record(folder / "study.json", record)
    return record


def write_trials(study: optuna.Study, knobs: Sequence[KnobRecord], storage: Storage) -> list[TrialRecord]:
    """Write trials.json and return it. Under the storage's lock, so that no older state is written over a newer one."""

    def write() -> list[TrialRecord]:
        with storage.lock():
            records = records_of(study, knobs)
            write_json(storage.folder / "trials.json", [record.model_dump(mode="json") for record in records])
        return records

    return storage.ride_out(write)


def write_importances(study: StudyRecord, trials: Sequence[TrialRecord], folder: Path) -> None:
    """Write importances.json: which knob matters. A knob counts as one parameter, absent where it is off."""
    complete = optuna.create_study(directions=study.directions)
    spaces = {knob.name: distribution(knob) for knob in study.knobs}
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            inside = {
                knob.name: trial.params[knob.name] for knob in study.knobs if trial.params[knob.name] != knob.other
            }
            complete.add_trial(
                optuna.trial.create_trial(
                    params=inside, distributions={name: spaces[name] for name in inside}, values=trial.values
                )
            )
    write_record(folder / "importances.json", importances(complete))
