"""The composition on a real PostgreSQL, by its own commands: logins, a grid trained into it, a backup, its restore."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import mlflow
import psutil
import psycopg
import pytest

from tests.docker.composition import DOCKER, environment, secrets_asked, services
from tests.helpers.grids import wait_for, write_toy
from tests.helpers.postgresql import PASSWORD, binaries
from tests.helpers.ray_cluster import free_port
from tests.helpers.services import need

pytestmark = pytest.mark.e2e


def status(url: str, host: str) -> int:
    """HTTP status of a request without a login that names `host`; 0 where nobody answers."""
    try:
        with urlopen(Request(url, headers={"Host": host}), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, OSError):
        return 0


@dataclass
class Composition:
    """The services, with secrets of this test, on the PostgreSQL at `host`:`database_port` and folders under `home`."""

    home: Path
    database: str
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.secrets = {name: f"m4rk3d-{secrets.token_hex(12)}" for name in secrets_asked()}
        self.secrets["POSTGRES_PASSWORD"] = PASSWORD
        self.address = urlsplit(self.database).netloc.rpartition("@")[2]
        for name in ("artifacts", "output"):
            (self.home / name).mkdir()
        ini = (DOCKER / "auth.ini").read_text().replace("postgresql:5432", self.address)
        (self.home / "auth.ini").write_text(ini)
        self.places = {
            "postgresql:5432": self.address,
            "mlflow:5000": f"localhost:{self.port}",
            "/etc/mlflow/auth.ini": str(self.home / "auth.ini"),
            "/artifacts": str(self.home / "artifacts"),
            "/work/output": str(self.home / "output"),
        }

    def environment(self, service: str) -> dict[str, str]:
        told = environment(service, self.secrets, self.places)
        host, _, port = self.address.partition(":")
        if service in ("postgresql", "backup"):  # the superuser has another name here
            told |= {"PGHOST": host, "PGPORT": port, "PGUSER": "reid", "PGPASSWORD": PASSWORD}
        path = f"{binaries()}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, **told}

    def run(self, service: str, *words: object, code: int = 0) -> str:
        """Run a command as a service would; returns what it printed."""
        done = subprocess.run(
            list(map(str, words)), env=self.environment(service), cwd=self.home,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        return done.stdout

    def make_databases(self) -> None:
        words = ("--no-psqlrc", "--dbname", "postgres", "--file", DOCKER / "roles.sql")
        self.run("postgresql", "psql", "-v", "ON_ERROR_STOP=1", *words)

    def drop_databases(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            for name in (b"mlflow", b"auth", b"studies"):
                connection.execute(b"DROP DATABASE IF EXISTS " + name)
            for name in (b"mlflow", b"studies"):
                connection.execute(b"DROP ROLE IF EXISTS " + name)

    @contextmanager
    def server(self) -> Iterator[str]:
        """Address of the MLflow server, up and answering, with the worker's user in it; it ends with the block."""
        program, *words = services()["mlflow"]["command"]
        here = {"--host": "127.0.0.1", "--port": str(self.port), "--artifacts-destination": self.places["/artifacts"]}
        words = [replaced(word, here).replace(":5000", f":{self.port}") for word in words]
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", program, *words],
                env=self.environment("mlflow"), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        base = f"http://localhost:{self.port}"
        try:
            wait_for(lambda: status(f"{base}/health", f"mlflow:{self.port}") == 200 or process.poll() is not None, 300)
            assert process.poll() is None, (self.home / "log").read_text()
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            listed = " ".join(word for one in family for word in one.cmdline())
            assert not [name for name, value in self.secrets.items() if value in listed]
            assert "user worker of MLflow is there" in self.run("users", sys.executable, DOCKER / "users.py")
            yield base
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()

    def client(self, service: str, base: str, monkeypatch: pytest.MonkeyPatch) -> mlflow.MlflowClient:
        """MLflow as a service sees it."""
        told = self.environment(service)
        for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
            monkeypatch.setenv(name, told[name])
        return mlflow.MlflowClient(base)


def replaced(word: str, values: dict[str, str]) -> str:
    """An option of the form --name=value, with the value that it has here."""
    name, equals, value = word.partition("=")
    return f"{name}{equals}{values.get(name, value)}"


@pytest.fixture
def composition(postgresql: str, tmp_path: Path) -> Iterator[Composition]:
    need(None if find_spec("flask_wtf") else "Flask-WTF is not installed (pip install '.[server]')")
    made = Composition(tmp_path, postgresql)
    made.drop_databases()
    made.make_databases()
    yield made
    made.drop_databases()


def logins(client: mlflow.MlflowClient) -> list[str]:
    """What the runs of trainings say of themselves, as this client may see it."""
    experiments = [one.experiment_id for one in client.search_experiments()]
    runs = client.search_runs(experiments, "tags.`reid.kind` = 'run'") if experiments else []
    assert all(run.info.artifact_uri.startswith("mlflow-artifacts:") for run in runs)
    return sorted(f"{run.info.run_name} {run.info.status} {run.data.metrics['final/mAP']:.6f}" for run in runs)


def test_logins_a_grid_a_backup_and_its_restore(
    composition: Composition, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_toy(tmp_path, tiny_root, epochs=2)
    file.write_text(file.read_text().replace("{random_erasing: , bnneck: , center_loss: }", "{bnneck: }"))
    reid = (sys.executable, "-m", "reid")
    monkeypatch.chdir(Path(__file__).parents[2])
    with composition.server() as base:
        search = f"{base}/api/2.0/mlflow/experiments/search?max_results=1"
        assert status(search, f"localhost:{composition.port}") == 401
        assert status(search, "elsewhere") in (401, 403)
        text = composition.run("worker", *reid, "ablate", file, "--output", tmp_path / "output", "--device", "cpu")
        assert "tracking store" not in text, "it is warned where the server cannot be reached"
        before = logins(composition.client("worker", base, monkeypatch))
        assert len(before) == 2
        assert logins(composition.client("users", base, monkeypatch)) == before, "the admin sees all"
        assert "user worker of MLflow" in composition.run("users", sys.executable, DOCKER / "users.py"), "again"
    for secret in set(composition.secrets.values()) - {PASSWORD}:
        kept = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert kept == [], "no secret is stored"
    others = f"postgresql+psycopg://studies@{composition.address}/mlflow"
    assert "permission denied for database" in composition.run(
        "worker",
        *reid,
        "sync",
        "--output",
        tmp_path / "output",
        "--tracking-uri",
        others,
        code=2,
    )

    backup = tmp_path / "backups" / "one"
    composition.run("backup", "sh", DOCKER / "backup.sh", backup)
    assert "is there already" in composition.run("backup", "sh", DOCKER / "backup.sh", backup, code=2)
    assert backup.stat().st_mode & 0o077 == 0
    runs = sorted(path.relative_to(tmp_path) for path in (tmp_path / "output" / "runs").rglob("*"))
    assert "must be empty" in composition.run("backup", "sh", DOCKER / "restore.sh", backup, code=2)

    composition.drop_databases()
    for name in ("artifacts", "output"):
        shutil.rmtree(tmp_path / name)
        (tmp_path / name).mkdir()
    composition.secrets |= {
        name: f"new-{secrets.token_hex(12)}" for name in ("MLFLOW_DB_PASSWORD", "STUDIES_DB_PASSWORD")
    }
    composition.make_databases()
    assert "holds no mlflow.dump" in composition.run("backup", "sh", DOCKER / "restore.sh", tmp_path, code=2)
    composition.run("backup", "sh", DOCKER / "restore.sh", backup)

    assert sorted(path.relative_to(tmp_path) for path in (tmp_path / "output" / "runs").rglob("*")) == runs
    assert not (tmp_path / "output" / "cache").exists()
    with composition.server() as base:
        client = composition.client("worker", base, monkeypatch)
        assert logins(client) == before
        (experiment,) = (one.experiment_id for one in client.search_experiments() if one.name == "toy")
        (run, *_) = client.search_runs([experiment], "tags.`reid.kind` = 'run'")
        curves = Path(client.download_artifacts(run.info.run_id, "curves.parquet", str(tmp_path)))
        assert curves.stat().st_size > 0
        output = ("--output", tmp_path / "output")
        assert "2 runs projected" in composition.run("worker", *reid, "sync", *output)
        assert logins(client) == before, "nothing is made twice"
        signature = run.data.tags["reid.signature"]
        assert "deleted in http" in composition.run("worker", *reid, "forget", signature, *output)
