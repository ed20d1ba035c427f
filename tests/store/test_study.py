"""Records of a study folder: files of before are read, and the best trial is found by one rule."""

import json
from pathlib import Path
from typing import Any

import pytest

from reid.errors import InputError
from reid.files import write_record
from reid.store.study import (
    Direction,
    StudyRecord,
    TrialRecord,
    TrialState,
    read_comparison,
    read_importances,
    read_study,
    read_trials,
)

# What `reid tune` wrote before these files had a schema.
STUDY: dict[str, Any] = {
    "name": "toy", "title": "Two knobs", "question": "Is the optimum found?", "command": "reid tune toy.yaml",
    "created": "2026-01-01T00:00:00+00:00", "yaml": "name: toy\n",
    "dataset": {"name": "tiny", "layout": "market1501", "root": "/data", "fingerprint": "f" * 16, "counts": {},
                "skipped": [], "notes": [], "split": {"validation_identities": 0.2, "seed": 0}},
    "recipe": {"center": {"weight": 5e-4}}, "tricks": ["center_loss"],
    "knobs": [
        {"name": "center_loss.weight", "path": "center.weight", "title": "Centre loss: weight", "kind": "float",
         "low": 1e-5, "high": 0.01, "log": True, "zero_is_off": True, "or": 0.0, "choices": [], "default": 5e-4},
        {"name": "epochs", "path": "schedule.warmup_epochs", "title": "epochs", "kind": "int", "low": 0, "high": 5,
         "log": False, "zero_is_off": False, "or": None, "choices": [], "default": 10},
        {"name": "pooling.kind", "path": "pooling.kind", "title": "pooling.kind", "kind": "choice", "low": 0.0,
         "high": 0.0, "log": False, "zero_is_off": False, "or": None, "choices": ["max", "gem"], "default": "average"},
    ],
    "objectives": [{"metric": "mAP", "direction": "maximize"}], "sampler": {"name": "tpe", "seed": 0},
    "pruner": "none", "trials": 2, "seeds": [0], "fresh_seeds": [1, 2],
    "split": {"validation_identities": 0.2, "seed": 0}, "storage": "sqlite:////output/studies/toy/study.db",
    "plugins": [],
}  # fmt: skip
TRIALS: list[dict[str, Any]] = [
    {"number": 0, "state": "complete", "values": [0.5], "params": {"center_loss.weight": 0.0, "pooling.kind": "max"},
     "runs": [{"seed": 0, "signature": "a" * 64}], "intermediate": [{"step": 1, "value": 0.5}], "reason": None,
     "seconds": 3.0, "started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T00:01:00+00:00"},
    {"number": 1, "state": "running", "values": None, "params": {}, "runs": [], "intermediate": [], "reason": None,
     "seconds": None, "started": "2026-01-01T00:00:00+00:00", "ended": None},
]  # fmt: skip
COMPARISON: dict[str, Any] = {
    "metric": "mAP", "direction": "maximize", "created": "2026-01-01T00:00:00+00:00", "seeds": [1],
    "winner": {"trial": 0, "params": {"epochs": 3}, "runs": [{"seed": 1, "signature": "b" * 64}], "values": [0.6]},
    "defaults": {"params": {"epochs": 10}, "runs": [{"seed": 1, "signature": "c" * 64}], "values": [None]},
    "rerun": {"runs": [{"seed": 1, "signature": "d" * 64}], "values": [0.4]},
    "difference": None, "low": None, "high": None, "p": None, "pairs": 0, "validation_best": 0.5, "optimism": 0.1,
}  # fmt: skip
SHARES = {"fanova": {"epochs": {"importance": 1.0, "low": 0.9, "high": 1.0}}, "ped_anova": {}}
IMPORTANCES: dict[str, Any] = {"n_trials": 60, **SHARES, "others": [SHARES]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study folder of before."""
    for name, content in {
        "study": STUDY, "trials": TRIALS, "comparison": COMPARISON, "importances": IMPORTANCES,
    }.items():  # fmt: skip
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_folders_of_before_are_read_whole(folder: Path) -> None:
    study, comparison, importances = read_study(folder), read_comparison(folder), read_importances(folder)
    weight, epochs, pooling = study.knobs
    assert (weight.low, weight.log, weight.other, weight.choices) == (1e-5, True, 0.0, ())
    assert isinstance(epochs.low, int), "whole numbers stay whole"
    assert (pooling.choices, pooling.default) == (("max", "gem"), "average")
    assert (study.metrics, study.directions, study.split.model_dump()) == (("mAP",), ("maximize",), STUDY["split"])
    assert [json.loads(trial.model_dump_json()) for trial in read_trials(folder)] == TRIALS
    assert comparison is not None
    assert json.loads(comparison.model_dump_json(by_alias=True)) == {
        "schema": 1,
        **COMPARISON,
        "looks": 1,
        "by_ranks": False,
    }
    assert importances is not None
    assert [shares.model_dump(exclude_none=True) for shares in importances.by_objective[1:]] == [SHARES]
    assert importances.by_objective[0].fanova["epochs"].low == 0.9


def test_a_record_written_is_the_record_read(folder: Path, tmp_path: Path) -> None:
    study = read_study(folder)
    write_record(tmp_path / "study.json", study)
    assert read_study(tmp_path) == study
    written = json.loads((tmp_path / "study.json").read_text())
    knobs = [{key: value for key, value in knob.items() if key != "zero_is_off"} for knob in STUDY["knobs"]]
    assert written == {"schema": 1, **STUDY, "knobs": knobs, "dataset": written["dataset"], "identity": None}


def test_importances_may_be_refused(tmp_path: Path) -> None:
    (tmp_path / "importances.json").write_text(json.dumps({"n_trials": 4, "refused": "too few"}))
    found = read_importances(tmp_path)
    assert found is not None
    assert (found.refused, found.fanova, found.others) == ("too few", {}, ())


def test_what_is_not_there_yet(tmp_path: Path) -> None:
    assert read_trials(tmp_path) == []
    assert read_comparison(tmp_path) is None
    assert read_importances(tmp_path) is None
    with pytest.raises(InputError, match=r"study\.json: a study folder holds a study\.json, found none; give the fol"):
        read_study(tmp_path)


def test_a_broken_file_is_one_line(folder: Path) -> None:
    trials = [TRIALS[0] | {"state": "won"}]
    (folder / "trials.json").write_text(json.dumps(trials))
    with pytest.raises(InputError, match=r"trials\.json: state: .*found 'won'") as caught:
        read_trials(folder)
    assert "\n" not in str(caught.value)


def trial(number: int, *values: float, state: TrialState = TrialState.COMPLETE) -> TrialRecord:
    return TrialRecord(number=number, state=state, values=values or None)


@pytest.mark.parametrize(
    ("directions", "best", "order"),
    [(["maximize"], 2, [2, 3, 0]), (["minimize"], 0, [0, 2, 3]), (["maximize", "minimize"], 2, [2, 3, 0])],
)
def test_the_best_trial_is_the_earliest_with_the_best_first_objective(
    directions: list[Direction], best: int, order: list[int]
) -> None:
    objectives = [{"metric": "mAP", "direction": direction} for direction in directions]
    study = StudyRecord.model_validate(STUDY | {"objectives": objectives})
    more = [0.0] * (len(directions) - 1)
    trials = [trial(0, 0.1, *more), trial(1, state=TrialState.PRUNED), trial(3, 0.9, *more), trial(2, 0.9, *more)]
    found = study.best(trials)
    assert found is not None
    assert found.number == best
    assert [one.number for one in study.ranked(trials)] == order
    assert study.best(trials[1:2]) is None
