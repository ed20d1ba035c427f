"""A grid read back from the tracking server alone."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from reid.analysis.runs_table import read_runs
from reid.cli.app import app
from reid.errors import InputError
from reid.report import FORMATS, write_report
from reid.store.plan import read_plan
from reid.tracking import download, sync
from reid.tracking.mlflow_store import embedded_uri
from reid.tracking.server import HOST, free_port
from tests.helpers.grids import wait_for
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow

OUTCOMES = {("00", 1): "diverged", ("10", 1): "failed", ("01", 1): "running"}


def test_runs_and_report_are_those_of_the_folders(fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(outcomes=OUTCOMES, seeds=(0, 1, 2))
    sync(fabric.output, None)
    there = download(embedded_uri(fabric.output), "demo", tmp_path / "there")
    assert read_runs(read_plan(there)).equals(read_runs(read_plan(grid)))
    reports = [write_report(folder, tmp_path / name) for folder, name in ((grid, "a"), (there, "b"))]
    assert [path.read_bytes() for path in reports[0]] == [path.read_bytes() for path in reports[1]]


def test_an_unknown_grid_is_refused_with_those_that_are_there(fabric: Fabric, tmp_path: Path) -> None:
    fabric.grid()
    sync(fabric.output, None)
    with pytest.raises(InputError, match="the grid other must be an experiment there, found demo"):
        download(embedded_uri(fabric.output), "other", tmp_path / "there")


def test_a_hostile_store_writes_nothing_outside_and_nothing_unknown(fabric: Fabric, tmp_path: Path) -> None:
    fabric.grid(tricks=("bnneck",), seeds=(0, 1))
    sync(fabric.output, None)
    client = MlflowClient(embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    honest = client.search_runs([experiment.experiment_id], "tags.`reid.kind` = 'run'")
    client.log_text(honest[0].info.run_id, "import os", "folder/evil.pth")
    for number, signature in enumerate(("../../escaped", str(tmp_path / "absolute"), "f" * 16)):
        run = client.create_run(experiment.experiment_id, tags={"reid.kind": "run", "reid.signature": signature})
        client.log_text(run.info.run_id, str(number), "folder/run.json")
    there = tmp_path / "deep" / "there"
    download(embedded_uri(fabric.output), "demo", there)
    written = {path.relative_to(there).parts[0] for path in there.rglob("*")}
    assert written <= {"grids", "runs", "mlflow.lock"}
    assert len(list((there / "runs").iterdir())) == len(honest)
    assert not list((tmp_path / "deep").rglob("*.pth"))
    assert not (tmp_path / "absolute").exists()
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("name", ["../up", "/absolute", "", ".hidden"])
def test_a_name_that_is_no_folders_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no name of a grid"):
        download("http://127.0.0.1:1", name, tmp_path)


def test_a_plan_whose_signatures_are_paths_is_refused(fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    sync(fabric.output, None)
    client = MlflowClient(embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    (keeper,) = client.search_runs([experiment.experiment_id], "tags.`reid.plan` = 'plan.json'")
    plan = read_plan(grid).plan
    hostile = plan.runs[0].model_copy(update={"signature": "../../escaped"})
    client.log_text(keeper.info.run_id, plan.model_copy(update={"runs": (hostile,)}).model_dump_json(), "plan.json")
    with pytest.raises(InputError, match="which is no signature"):
        download(embedded_uri(fabric.output), "demo", tmp_path / "there")


@contextmanager
def plain_server(folder: Path, database: Path) -> Iterator[str]:
    """`mlflow server` as anyone would start it, artifacts over HTTP, on a free loopback port; ended with the block."""
    port = free_port(0)
    shutil.copy(database, folder / "server.db")
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--host", HOST, "--port", str(port)]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--workers", "1"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(lambda: server.poll() is not None or healthy(port))
        assert server.poll() is None, (folder / "server.log").read_text()
        yield f"http://{HOST}:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # the server is two processes
        server.wait()


def healthy(port: int) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}/health", timeout=5):
            return True
    except OSError:
        return False


@pytest.mark.e2e
def test_a_report_from_a_server_over_http_has_the_bytes_of_the_one_from_folders(
    fabric: Fabric, migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0, 1, 2), outcomes={("1", 2): "diverged"})
    here = write_report(grid, tmp_path / "here", FORMATS)
    with plain_server(tmp_path, migrated) as uri:
        assert sync(fabric.output, uri).runs == 6
        shutil.rmtree(fabric.output)  # the server alone
        monkeypatch.chdir(tmp_path)
        words = ["report", "demo", "--from-mlflow", uri, "--out", "there", "--format", ",".join(FORMATS)]
        assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    there = [tmp_path / "there" / path.relative_to(tmp_path / "here") for path in here]
    assert [path.read_bytes() for path in there] == [path.read_bytes() for path in here]


def test_where_images_are_is_not_the_servers_to_say(fabric: Fabric, tmp_path: Path) -> None:
    fabric.grid(tricks=("bnneck",), seeds=(0,))
    sync(fabric.output, None)
    for number, (images, root) in enumerate(((None, ""), (tmp_path, str(tmp_path)))):
        there = read_plan(download(embedded_uri(fabric.output), "demo", tmp_path / f"there-{number}", images))
        told = [there.plan.dataset, *(there.run(run.signature).require_run().dataset for run in there.plan.runs)]
        assert {dataset.root for dataset in told if dataset} == {root}
