"""A study's folder as an experiment: the study, its trials, and their seeds, with states that are true."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from reid.errors import InputError
from reid.files import write_json
from reid.tracking import TrackingError, study_tracker, sync
from reid.tracking.mlflow_store import embedded_uri
from reid.tracking.study.payload import open_study
from tests.helpers.run_on_disk import CREATED, DATASET, standard_recipe, write_run
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow

STATES = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED", "running": "RUNNING", "waiting": "SCHEDULED"}
RUNS = {"complete": "finished", "pruned": "stopped", "failed": "failed", "running": "running", "waiting": "stopped"}
KNOB = {
    "name": "triplet.margin", "path": "triplet.margin", "title": "triplet.margin", "kind": "float", "low": 0.0,
    "high": 1.0, "log": False, "zero_is_off": False, "or": "soft", "choices": [], "default": 0.3,
}  # fmt: skip


def write_toy_study(fabric: Fabric, states: list[str]) -> Path:
    """A study whose trial i ended in states[i], each with one run; later complete trials are better."""
    folder = fabric.output / "studies" / "toy"
    folder.mkdir(parents=True, exist_ok=True)
    study = {
        "name": "toy", "title": "A toy", "question": "Does it show?", "command": "reid tune toy.yaml",
        "created": CREATED, "yaml": "name: toy\n", "dataset": DATASET.model_dump(mode="json"),
        "knobs": [KNOB], "trials": len(states),
        "objectives": [{"metric": "mAP", "direction": "maximize"}], "sampler": {"name": "tpe", "seed": 0},
        "pruner": "median", "seeds": [0], "recipe": {}, "split": {"validation_identities": 0.2},
    }  # fmt: skip
    write_json(folder / "study.json", study)
    trials = []
    for number, state in enumerate(states):
        recipe = standard_recipe(epochs=6).set({"triplet.margin": number / 10})
        signature = f"{number:016x}"
        write_run(fabric.output, signature, recipe, state=RUNS[state], iterations=24)
        over = state in ("complete", "pruned", "failed")
        trials.append(
            {
                "number": number,
                "state": state,
                "values": [0.4 + number / 100] if state == "complete" else None,
                "params": {"triplet.margin": number / 10},
                "runs": [{"seed": 0, "signature": signature}],
                "intermediate": [{"step": 3, "value": 0.3}],
                "reason": None if state == "complete" else f"{state}!",
                "seconds": 12.0,
                "started": CREATED,
                "ended": CREATED if over else None,
            }
        )
    write_json(folder / "trials.json", trials)
    return folder


def runs_of(fabric: Fabric) -> dict[str, Any]:
    client = MlflowClient(embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name("study toy")
    assert experiment is not None
    return {str(run.info.run_name): run for run in client.search_runs([experiment.experiment_id])}


def test_states_parents_and_values_are_true(fabric: Fabric) -> None:
    folder = write_toy_study(fabric, list(STATES))
    assert sync(fabric.output, None, "toy").runs == len(STATES)
    runs = runs_of(fabric)
    assert len(runs) == 1 + 2 * len(STATES)
    for number, (state, status) in enumerate(STATES.items()):
        trial, seed = runs[f"trial {number}"], runs[f"trial {number} s0"]
        assert trial.info.status == status
        assert trial.data.tags["reid.state"] == state
        assert trial.data.tags["mlflow.parentRunId"] == runs["toy"].info.run_id
        assert seed.data.tags["mlflow.parentRunId"] == trial.info.run_id
        assert trial.data.params == {"triplet.margin": str(number / 10)}
        assert trial.data.metrics["val/mAP"] == 0.3
        assert ("final/mAP" in trial.data.metrics) == (state == "complete")
        assert trial.data.tags["reid.best"] == str(state == "complete").lower()
    assert runs["toy"].info.status == "RUNNING"
    assert runs["toy"].data.tags["reid.best_trial"] == "0"
    assert runs["toy"].data.params["knob.triplet.margin"] == "0 to 1 or soft"
    assert open_study(folder).best == 0


def test_the_tag_of_the_best_moves_on_and_nothing_is_doubled(fabric: Fabric) -> None:
    folder = write_toy_study(fabric, ["complete", "running"])
    tracker = study_tracker(None, fabric.output, folder)
    tracker.project(folder)
    tracker.project(fabric.output / "runs" / f"{1:016x}")
    tracker.project(fabric.output / "runs" / "a run of another study")
    assert runs_of(fabric)["trial 0"].data.tags["reid.best"] == "true"
    write_toy_study(fabric, ["complete", "complete"])
    tracker.project(folder)
    tracker.close()
    runs = runs_of(fabric)
    assert {name: run.data.tags["reid.best"] for name, run in runs.items() if name in ("trial 0", "trial 1")} == {
        "trial 0": "false", "trial 1": "true"
    }  # fmt: skip
    assert runs["toy"].info.status == "FINISHED"
    assert len(runs) == 5
    assert sync(fabric.output, None).runs == 2
    assert len(runs_of(fabric)) == 5


def test_a_store_that_is_down_is_told(fabric: Fabric) -> None:
    folder = write_toy_study(fabric, ["complete"])
    with pytest.raises(TrackingError, match=r"tracking store http://127\.0\.0\.1:1: "):
        study_tracker("http://127.0.0.1:1", fabric.output, folder)


def test_no_study_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"study\.json: a study folder holds a study\.json, found none"):
        open_study(tmp_path)
