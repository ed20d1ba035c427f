"""A forgotten run is forgotten in MLflow too; a copy of an output folder forgets for itself alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from reid.store.run_folder import RunFolder
from reid.tracking import delete_projections, sync
from reid.tracking.mlflow_store import Store, embedded_uri
from tests.helpers.records import write_raw
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow


def test_a_forgotten_run_is_gone_from_every_store_and_can_come_back(fabric: Fabric) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    runs = fabric.runs(grid)
    assert sync(fabric.output, None).runs == 2
    folder, store = runs["1", 0], Store(None, fabric.output)
    (run_id,) = folder.read_projections().values()
    lines = delete_projections(fabric.output, folder)
    assert lines == [f"MLflow run {run_id} of grid {grid.name}: deleted in {embedded_uri(fabric.output)}"]
    assert store.run(run_id) is None
    assert delete_projections(fabric.output, folder) == [], "once"
    sync(fabric.output, None)
    (again,) = folder.read_projections().values()
    assert again != run_id
    assert store.run(again) is not None


def copied(fabric: Fabric, folder: RunFolder, to: Path) -> RunFolder:
    """The run folder in a copy of the output folder."""
    shutil.copytree(fabric.output, to)
    return RunFolder(to / "runs" / folder.signature)


def test_a_copy_forgets_in_its_own_store_alone(fabric: Fabric, tmp_path: Path) -> None:
    folder = fabric.runs(fabric.grid(tricks=("bnneck",), seeds=(0,)))["1", 0]
    sync(fabric.output, None)
    (run_id,) = folder.read_projections().values()
    copy = copied(fabric, folder, tmp_path / "copy")
    (line,) = delete_projections(tmp_path / "copy", copy)
    assert line.endswith(f"deleted in {embedded_uri(tmp_path / 'copy')}")
    assert Store(None, fabric.output).run(run_id) is not None
    assert Store(None, tmp_path / "copy").run(run_id) is None


def test_a_copy_leaves_what_its_original_has_on_a_server(fabric: Fabric, tmp_path: Path, migrated: Path) -> None:
    folder = fabric.runs(fabric.grid(tricks=("bnneck",), seeds=(0,)))["1", 0]
    shutil.copy(migrated, tmp_path / "server.db")
    server = f"sqlite:///{tmp_path}/server.db"
    sync(fabric.output, server)
    (run_id,) = folder.read_projections().values()
    copy = copied(fabric, folder, tmp_path / "copy")
    (line,) = delete_projections(tmp_path / "copy", copy)
    assert line.startswith(f"MLflow run {run_id} of grid demo: left in {server}, for it shows the folder that this one")
    assert MlflowClient(server).get_run(run_id).info.lifecycle_stage == "active"
    moved = fabric.output.rename(tmp_path / "moved")
    (line,) = delete_projections(moved, RunFolder(moved / "runs" / folder.signature))
    assert line == f"MLflow run {run_id} of grid demo: deleted in {server}"


def test_what_an_older_folder_remembers_is_left(fabric: Fabric) -> None:
    folder = fabric.runs(fabric.grid(tricks=("bnneck",), seeds=(0,)))["1", 0]
    write_raw(folder, "mlflow", {"http://me:MARK@nowhere:5000|demo": "0" * 32})
    (line,) = delete_projections(fabric.output, folder)
    assert "left in http://me@nowhere:5000," in line


def test_a_copy_writes_its_artifacts_beside_itself(fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    folder = fabric.runs(grid)["1", 0]
    sync(fabric.output, None)
    shutil.copytree(fabric.output, tmp_path / "copy of it")
    before = {path: path.stat().st_mtime_ns for path in fabric.output.rglob("*") if path.is_file()}
    copy = RunFolder(tmp_path / "copy of it" / "runs" / folder.signature)
    copy.write_state(copy.read_state().model_copy(update={"updated": 1e9}))
    # In a process of its own, for MLflow remembers in one where a run's artifacts are.
    words = [sys.executable, "-m", "reid", "sync", "--output", str(tmp_path / "copy of it")]
    assert "2 runs projected" in subprocess.run(words, capture_output=True, text=True, check=True).stdout
    client = Store(None, tmp_path / "copy of it").client
    (run_id,) = copy.read_projections().values()
    home = (tmp_path / "copy of it" / "mlartifacts").as_uri()
    assert client.get_run(run_id).info.artifact_uri.startswith(f"{home}/")
    experiments = client.search_experiments()
    assert {one.artifact_location for one in experiments} == {home, f"{home}/0"}
    changed = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert not changed, "nothing of the original is touched"
