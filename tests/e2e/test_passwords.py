"""Every command that takes the URI of a store, with a marked password in it: nothing written or printed has it."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import pytest

from reid.data import DatasetSource
from reid.data.synthetic import SyntheticSpec
from reid.tracking.mlflow_store import Store
from reid.tracking.server import free_port, running_server
from tests.helpers.grids import write_toy
from tests.helpers.postgresql import binaries
from tests.studies.synthetic import write_study

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]

MARK = "m4rk3d"
PASSWORD = f"{MARK}-p@ss/w:rd"
LOGIN = f"me:{quote(PASSWORD, safe='')}"
SPLIT = ", split: {validation_identities: 0.34}"


@dataclass
class Seen:
    """What commands printed, and which command lines `ps` had meanwhile."""

    folder: Path
    printed: list[str] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)

    def run(self, *words: object, code: int = 0, **environment: str) -> str:
        """Run a command to its end; returns what it printed."""
        process = self.start(*words, **environment)
        watcher = threading.Thread(target=self.watch, args=(process,))
        watcher.start()
        text, _ = process.communicate(timeout=600)
        watcher.join()
        self.printed.append(text)
        assert process.returncode == code, text
        return text

    def start(self, *words: object, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "reid", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder,
            env={**os.environ, **environment},
        )  # fmt: skip

    def watch(self, process: "subprocess.Popen[str]") -> None:
        """Note the command lines of a process and of those it starts: its own once it has started one."""
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                ours = psutil.Process(process.pid)
                for child in ours.children(recursive=True):
                    self.listed |= {" ".join(child.cmdline()), " ".join(ours.cmdline())}
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A drawn data set of enough identities to learn something about."""
    asked = {"train_identities": 24, "test_identities": 8, "cameras": 3, "images": 6, "seed": 3}
    spec = SyntheticSpec.model_validate(asked)
    DatasetSource(name="drawn", root=tmp_path / "drawn", synthesize=spec).open()
    return tmp_path / "drawn"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """host:port of an MLflow server without logins: it takes any."""
    (tmp_path / "server").mkdir()
    store = Store(None, tmp_path / "server")
    assert store.client
    with running_server(store, free_port(0)) as base:
        yield base.removeprefix("http://")


@pytest.fixture
def databases(postgresql: str) -> str:
    """host:port of PostgreSQL with the databases `studies` and `tracking` of the user with the marked password."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'")
        for name in ("studies", "tracking"):
            connection.execute(f"CREATE DATABASE {name} OWNER me")
    return postgresql.rpartition("@")[2].partition("/")[0]


def test_a_password_is_nowhere(
    server: str, databases: str, postgresql: str, drawn: Path, tmp_path: Path, read: Callable[[Path], str]
) -> None:
    output, seen = ("--output", "output"), Seen(tmp_path)
    web, trials = f"http://{LOGIN}@{server}", f"postgresql://{LOGIN}@{databases}/studies"
    on_cpu = (*output, "--device", "cpu", "--slots", "2")
    grid = write_toy(tmp_path, drawn, epochs=12)
    text = grid.read_text().replace("{random_erasing: , bnneck: , center_loss: }", "{bnneck: }")
    grid.write_text(f"# shown at {web}/#/experiments\n{text}")

    assert "2 finished" in seen.run("ablate", grid, *on_cpu, "--tracking-uri", web)
    (tmp_path / "study").mkdir()
    more = f"seeds: [0]\nfresh_seeds: 1\nobjectives: [mAP]\nstorage: {trials}"
    study = write_study(tmp_path / "study", f"{drawn}{SPLIT}", 1, more)
    study.write_text(study.read_text().replace("name: toy", "name: study"))
    assert "1 complete" in seen.run("tune", study, *on_cpu, MLFLOW_TRACKING_URI=web)
    assert "1 complete" in seen.run("tune", *output, "--status", "study", "--storage", trials)
    assert "1 complete" in seen.run("tune", *output, "--status", "study", REID_STORAGE=trials)
    assert "1 complete" in seen.run("tune", *output, "--status", "study", PGPASSWORD=PASSWORD)
    seen.run("sync", *output, "--tracking-uri", web)
    every = ("--format", "pdf,html,latex,csv,markdown")
    for named in (["toy"], ["study"], ["toy", "--from-mlflow", web, "--out", "of-server"]):
        seen.run("report", *named, *output, *every)
    runs = [path.name for path in (tmp_path / "output" / "runs").iterdir() if (path / "mlflow.json").exists()]
    assert "deleted in http://127.0.0.1" in seen.run("forget", runs[0], *output, "--tracking-uri", web)

    ui = seen.start(
        "ui", *output, "--port", "0", "--no-browser",
        "--tracking-uri", f"postgresql+psycopg://{LOGIN}@{databases}/tracking",
    )  # fmt: skip
    watcher = threading.Thread(target=seen.watch, args=(ui,))
    watcher.start()
    assert ui.stdout is not None
    for line in ui.stdout:
        seen.printed.append(line)
        if line.startswith("Ctrl-C"):
            break
    ui.send_signal(signal.SIGTERM)
    seen.printed.append(ui.communicate(timeout=60)[0])
    watcher.join()
    assert any("mlflow server" in line for line in seen.listed)
    assert any("from multiprocessing" in line for line in seen.listed), "workers are among them"

    dead, nobody = f"http://{LOGIN}@127.0.0.1:1", f"postgresql+psycopg://{LOGIN}x@{databases}/none"
    refused: list[tuple[object, ...]] = [
        ("sync", *output, "--tracking-uri", dead),
        ("sync", *output, "--tracking-uri", nobody),
        ("sync", *output, "--tracking-uri", f"nosuch://{LOGIN}@host/x"),
        ("report", "toy", *output, "--from-mlflow", dead),
        ("verdict", "--factors", "a", "--metric", "b", "--from-mlflow", dead, "--experiment", "x"),
        ("tune", study, *on_cpu, "--storage", nobody),
        ("tune", study, *on_cpu, "--storage", f"mysql://{LOGIN}@host/x"),
        ("tune", *output, "--status", "study", "--storage", f"postgresql://me:{MARK}@x@host/y"),
        ("sync", "toy", web),
        ("sync", "--tracking-ur", web),
        ("report", trials, *output),
        ("ablate", web),
        ("ablate", grid, "--address", web),
        ("data", "list", trials),
    ]
    for words in refused:
        assert "error: " in seen.run(*words, code=2)

    assert MARK not in "".join(seen.printed)
    assert not [line for line in seen.listed if MARK in line]
    inputs = {grid, study}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path not in inputs]
    assert not [path for path in files if MARK.encode() in path.read_bytes()]
    pdfs = [path for path in files if path.suffix == ".pdf"]
    assert len(pdfs) >= 3
    assert not [path for path in pdfs if MARK in read(path)]
    with closing(sqlite3.connect(tmp_path / "server" / "mlflow.db")) as connection:
        told = "\n".join(connection.iterdump())
    assert "reid ablate" in told
    assert MARK not in told
    programs = binaries()
    assert programs is not None
    for name in ("studies", "tracking"):
        dump = [str(programs / "pg_dump"), postgresql.removesuffix("postgres") + name]
        dumped = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
        assert "CREATE TABLE" in dumped
        assert MARK not in dumped
