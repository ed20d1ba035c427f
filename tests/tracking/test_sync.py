"""MLflow is rebuilt from folders, and told of processes that died."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from reid.errors import InputError
from reid.metrics.scores import Scores
from reid.report import write_report
from reid.tracking import Tracker, sync
from reid.tracking.mlflow_store import Store, embedded_uri
from tests.helpers.records import raw, write_raw
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow


def statuses(fabric: Fabric, grid: str = "demo") -> dict[str, str]:
    client = MlflowClient(embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name(grid)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`reid.kind` = 'run'")
    return {run.info.run_name: run.info.status for run in runs}


def test_sync_rebuilds_a_store_that_was_lost(fabric: Fabric, migrated: Path) -> None:
    fabric.grid(tricks=("bnneck",), outcomes={("1", 1): "planned", ("0", 0): "failed"})
    assert sync(fabric.output, None).runs == 3
    before = statuses(fabric)
    shutil.copy(migrated, fabric.output / "mlflow.db")
    assert sync(fabric.output, None).runs == 3
    assert statuses(fabric) == before == {"0 s0": "FAILED", "0 s1": "FINISHED", "1 s0": "FINISHED"}


def test_mlflow_and_the_csv_have_the_same_numbers(fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(tricks=("bnneck",))
    sync(fabric.output, None)
    write_report(grid, tmp_path, ("csv",))
    (row,) = pd.read_csv(tmp_path / "tables" / "runs.csv").query("arm == 1 and seed == 0").to_dict("records")
    client = MlflowClient(embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], f"tags.`reid.signature` = '{row['signature']}'")
    costs = ("system/peak_memory_mb", "time/train_seconds", "time/images_per_second")
    scores = (f"final/{name}" for name in Scores.model_fields)
    written = {key: row[key.partition("/")[2]] for key in (*costs, *scores)}
    assert written == pytest.approx({key: run.data.metrics[key] for key in written}, rel=1e-5), "of six digits"


def test_sync_takes_one_grid_or_all(fabric: Fabric) -> None:
    fabric.grid(name="two", tricks=("bnneck",), seeds=(0,))
    fabric.grid(name="one", tricks=("warmup",), seeds=(7,))
    assert sync(fabric.output, None, "one").runs == 2
    assert sync(fabric.output, None).runs == 4


def test_sync_repairs_what_is_left_running(fabric: Fabric) -> None:
    lost = {("0", 0): "running", ("1", 0): "running", ("1", 1): "running"}
    grid = fabric.grid(tricks=("bnneck",), outcomes=lost)
    tracker = Tracker(None, fabric.output)
    tracker.open_grid(grid)
    runs = fabric.runs(grid)
    for key in lost:
        tracker.project(runs[key].path)
    assert set(statuses(fabric).values()) == {"RUNNING"}
    shutil.rmtree(runs["1", 0].path)
    write_raw(runs["1", 1], "state", {**raw(runs["1", 1], "state"), "state": "stopped"})
    assert sync(fabric.output, None).runs == 3
    now = statuses(fabric)
    assert (now["0 s0"], now["1 s0"], now["1 s1"]) == ("RUNNING", "KILLED", "KILLED")


def test_a_damaged_folder_is_a_state_there_and_the_others_are_projected(fabric: Fabric) -> None:
    grid = fabric.grid(tricks=("bnneck",))
    runs = fabric.runs(grid)
    for key, record in {("0", 0): "state.json", ("0", 1): "run.json", ("1", 0): "curves.parquet"}.items():
        (runs[key].path / record).write_text("{")
        (runs[key].path / "mlflow.json").write_text("{")
    assert sync(fabric.output, None).runs == 4
    assert statuses(fabric) == {"0 s0": "FAILED", "0 s1": "FAILED", "1 s0": "FAILED", "1 s1": "FINISHED"}


def test_an_unknown_grid_is_refused(fabric: Fabric) -> None:
    with pytest.raises(InputError, match=r"holds no grid or study 'nosuch' to sync"):
        sync(fabric.output, None, "nosuch")
    with pytest.raises(InputError, match="holds no grid or study to sync"):
        sync(fabric.output, None)


def test_any_path_of_an_output_folder_has_its_store_there(tmp_path: Path) -> None:
    output = tmp_path / "a?b=c%20d #e"
    output.mkdir()
    assert Store(None, output).client.search_experiments()
    assert (output / "mlflow.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [output.name]
