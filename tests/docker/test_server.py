"""The MLflow server of the composition, by its own command line, on a real PostgreSQL, with a grid trained into it."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import mlflow
import psycopg
import pytest
import yaml

from tests.docker.test_files import DOCKER
from tests.helpers.grids import ablate, wait_for, write_toy
from tests.helpers.ray_cluster import free_port

pytestmark = pytest.mark.e2e


def status(url: str, host: str) -> int:
    """HTTP status of a request that names `host`; 0 where nobody answers."""
    try:
        with urlopen(Request(url, headers={"Host": host}), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, OSError):
        return 0


def replaced(word: str, values: dict[str, str]) -> str:
    """An option of the form --name=value, with the value that it has here."""
    name, equals, value = word.partition("=")
    return f"{name}{equals}{values.get(name, value)}"


def test_a_grid_reaches_postgresql_through_the_server(
    postgresql: str, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE DATABASE mlflow")
    service = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["mlflow"]
    program, *words = service["command"]
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    here = {
        "--host": "127.0.0.1",
        "--port": str(port),
        "--backend-store-uri": postgresql.replace("://", "+psycopg://").removesuffix("postgres") + "mlflow",
        "--artifacts-destination": str(tmp_path / "artifacts"),
    }
    words = [replaced(word, here).replace(":5000", f":{port}") for word in words]
    environment = {**os.environ, **service["environment"]}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *words], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(lambda: status(f"{server}/health", f"mlflow:{port}") == 200 or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert status(f"{server}/api/2.0/mlflow/experiments/search?max_results=1", "elsewhere") == 403
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://localhost:{port}")
        file = write_toy(tmp_path, tiny_root, epochs=4)
        file.write_text(file.read_text().replace("{random_erasing: , bnneck: , center_loss: }", "{bnneck: }"))
        text = ablate(file, tmp_path / "output")
        assert "2 finished" in text
        assert "MLflow:" not in text, "it is warned where the server cannot be reached"
        client = mlflow.MlflowClient()
        experiments = [one.experiment_id for one in client.search_experiments()]
        runs = client.search_runs(experiments, "tags.`reid.kind` = 'run'")
        assert [run.info.status for run in runs] == ["FINISHED"] * 2
        assert all("final/mAP" in run.data.metrics for run in runs)
        assert all(run.info.artifact_uri.startswith("mlflow-artifacts:") for run in runs)
        assert any((tmp_path / "artifacts").rglob("curves.parquet"))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
