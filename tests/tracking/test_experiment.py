"""Runs that any trainer logged to MLflow, as a table and through `reid verdict`."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from mlflow import MlflowClient

from reid.analysis.any_trainer import Asked, read_any_runs
from reid.analysis.any_trainer.asked import METRIC
from reid.analysis.runs_table import read_runs
from reid.errors import InputError
from reid.store.plan import read_plan
from reid.tracking import sync
from reid.tracking.any_trainer import experiment_sheet
from reid.tracking.mlflow_store import embedded_uri
from tests.tracking.conftest import Fabric


@pytest.fixture
def uri(tmp_path: Path, migrated: Path) -> str:
    shutil.copy(migrated, tmp_path / "theirs.db")
    return f"sqlite:///{tmp_path}/theirs.db"


def log(
    uri: str, params: Mapping[str, object], tags: Mapping[str, str], values: list[float], status: str = "FINISHED"
) -> str:
    """A run of the experiment sweep that logged `values` of val_acc one after another."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name("sweep")
    experiment = found.experiment_id if found else client.create_experiment("sweep")
    run = str(client.create_run(experiment, run_name=f"run \x1b[31m{values}").info.run_id)
    for key, value in params.items():
        client.log_param(run, key, value)
    for key, text in tags.items():
        client.set_tag(run, key, text)
    for step, value in enumerate(values):
        client.log_metric(run, "val_acc", value, step=step)
    client.set_terminated(run, status)
    return run


def test_params_tags_last_values_and_states(uri: str) -> None:
    for seed in (0, 1):
        for warmup in (True, False):
            for optimiser in ("adam", "sgd"):
                log(uri, {"warmup": warmup, "seed": seed}, {"optimiser": optimiser}, [0.9, 0.5 + 0.2 * warmup])
    ended = {"warmup": True, "seed": 2}
    log(uri, ended, {"optimiser": "sgd"}, [0.9, float("inf")])
    log(uri, ended, {"optimiser": "adam"}, [0.9], "KILLED")
    log(uri, {"warmup": True, "seed": 3}, {"optimiser": "adam"}, [])
    forgotten = log(uri, {"warmup": True, "seed": 4}, {"optimiser": "adam"}, [0.1])
    MlflowClient(uri).delete_run(forgotten)
    sheet = experiment_sheet(uri, "sweep")
    assert all(row.isprintable() for row in sheet.rows)
    found = read_any_runs(sheet, Asked(("warmup", "optimiser"), "val_acc", "seed"))
    assert found.heads == {
        "factor warmup": "params.warmup",
        "factor optimiser": "tags.optimiser",
        "metric": "metrics.val_acc",
        "seed": "params.seed",
        "state": "status",
    }
    assert found.table["state"].tolist() == ["finished"] * 8 + ["diverged", "failed", "unknown"]
    assert found.table[METRIC].tolist()[:8] == [0.7, 0.7, 0.5, 0.5] * 2
    assert found.levels["warmup"].levels == ("False", "True")
    assert [note.split(" (")[0] for note in found.notes] == [
        "1 of 11 runs are not finished",
        "1 run has no value of val_acc",
        "1 run has NaN or infinity for val_acc",
    ]


def test_reading_an_experiment_needs_no_torch(uri: str, tmp_path: Path) -> None:
    """In a process of its own, from the server to the page."""
    for seed, warmup in ((0, True), (0, False), (1, True), (1, False)):
        log(uri, {"warmup": warmup, "seed": seed}, {}, [0.5 + 0.2 * warmup + 0.01 * seed * warmup])
    program = "import sys; from reid.cli.app import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    words = (
        f"verdict --from-mlflow {uri} --experiment sweep --factors warmup --seed seed --metric val_acc --format html"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words.split(), "--format", "html"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["sweep-verdict/verdict.html", "False"]


def test_what_is_not_there(tmp_path: Path, uri: str) -> None:
    MlflowClient(uri).create_experiment("empty")
    for where, name, words in (
        (uri, "sweep", "--experiment 'sweep' must be an experiment there, found Default, empty"),
        (uri, "empty", "--experiment 'empty' must have a run, found none"),
        (f"sqlite:///{tmp_path}/no.db", "sweep", "found none at"),
        (str(tmp_path / "mlruns"), "sweep", "found none at"),
        (f"file://{tmp_path}/mlruns", "sweep", "found none at"),
    ):
        with pytest.raises(InputError) as told:
            experiment_sheet(where, name)
        assert words in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.db"], "reading makes nothing"


def test_a_grid_of_this_project_reads_like_any_experiment(fabric: Fabric) -> None:
    grid = fabric.grid(outcomes={("10", 1): "failed"}, seeds=(0, 1, 2))
    sync(fabric.output, None)
    sheet = experiment_sheet(embedded_uri(fabric.output), "demo")
    found = read_any_runs(sheet, Asked(("trick.warmup", "trick.bnneck"), "final/mAP", "seed"))
    assert found.heads["factor trick.warmup"] == "tags.trick.warmup"
    assert "runs have no params.seed" in " ".join(found.notes), "plan and arms, which are runs in MLflow too"
    own = read_runs(read_plan(grid)).dropna(subset="mAP")
    expected = {(row.warmup, row.bnneck, str(row.seed)): row.mAP for row in own.itertuples()}
    finished = found.table.dropna(subset=METRIC).to_dict("records")
    assert {
        (row["trick.warmup"] == "on", row["trick.bnneck"] == "on", row["seed"]): row[METRIC] for row in finished
    } == pytest.approx(expected)
    assert len(found.table) == 12
