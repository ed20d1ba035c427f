"""The MLflow tracking store: opened once, guarded by a lock, with failures told as TrackingError."""

import logging
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from filelock import FileLock

from reid.shown import hide, hide_uri
from reid.store.run_folder import EMBEDDED
from reid.store.run_store import output_id
from reid.tracking import keys
from reid.tracking.patience import CALL_SECONDS, FILES_SECONDS, Patience, Patient

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Metric, Run
    from mlflow.store.entities import PagedList

Entry = TypeVar("Entry")
# The most entries that MLflow takes at once.
METRICS, TAGS, PAGE = 800, 100, 1000
MOST_PAGES = 1000
SERVED_DATABASES = ("postgresql", "mysql", "mssql")
CONNECT_SECONDS = 10.0
LOCK_SECONDS = 120.0  # somebody of this output folder has the lock for as long as a few calls of the store take
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A training must not wait for a tracker that is down: MLflow itself would try for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


MOVED = """UPDATE {table} SET {column} = :home || substr({column}, length(:before) + 1)
    WHERE substr({column} || '/', 1, length(:before) + 1) = :before || '/'"""
# Errors about what was asked. All others are about the store, which may be well again later.
REFUSALS = (
    "BAD_REQUEST",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "PERMISSION_DENIED",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
)


class TrackingError(Exception):
    """The tracking store cannot be used now. The run folders are complete: `reid sync` makes it up later.

    Passwords of URIs are not in it.
    """

    def __init__(self, line: str) -> None:
        super().__init__(hide(line))


class RefusedError(TrackingError):
    """The tracking store answers, but does not take this."""


def embedded_uri(output: Path) -> str:
    """The store used when no tracking URI is given: a SQLite file in the output folder."""
    return keys.sqlite_uri(output.resolve() / EMBEDDED)


def _bring_home(database: Path, artifacts: str) -> None:
    """Make the artifacts of a store those in the folder with the URI `artifacts`, and not its original's.

    MLflow keeps absolute places: it would write what a copy says into the original's files, and delete those.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection, connection:
        first = connection.execute("SELECT artifact_location FROM experiments WHERE experiment_id = 0").fetchone()
        before = first[0].rpartition("/")[0] if first and first[0] else artifacts
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")) * (before != artifacts):
            connection.execute(MOVED.format(table=table, column=column), {"home": artifacts, "before": before})


class Store:
    """One tracking store. Nothing is opened before the first use, so a store that is down fails there.

    `uri` opens it; `shown` is that without the password that a database's may have, and `reference` is what folders
    remember it by, which holds in a copy of them too.
    """

    def __init__(self, uri: str | None, output: Path) -> None:
        self.uri = keys.without_login(uri or embedded_uri(output))
        self.shown = hide_uri(self.uri)
        self.reference = EMBEDDED if self.uri == embedded_uri(output) else self.shown
        self.output = output.resolve()
        self.artifacts = (self.output / "mlartifacts").as_uri() if uri is None else None
        # One process of an output folder at a time migrates the store, or looks for something and creates it.
        self.lock = FileLock(self.output / "mlflow.lock", timeout=LOCK_SECONDS)
        self._patience = Patience()
        for name, value in QUIET.items():  # before the import, which reads some of them
            os.environ.setdefault(name, value)

    @cached_property
    def client(self) -> "MlflowClient":
        """The client of a store whose tables are made and migrated; its calls end. Raises what MLflow raises."""
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # its tracebacks: we tell the error
        with self.lock:
            if self.artifacts is not None:
                self._create_database(self.artifacts)
            elif self.uri.startswith(SERVED_DATABASES):
                self._patience.call(CONNECT_SECONDS, _connect, self.uri)
            client = self._patience.call(CALL_SECONDS, MlflowClient, self.uri, self.uri)
            patient = cast("MlflowClient", Patient(client, self._patience))
            patient.search_experiments(max_results=1)
            self._remove_stray()
        return patient

    @cached_property
    def owner(self) -> str:
        """The id of this output folder."""
        with self.lock:
            return output_id(self.output)

    def _remove_stray(self) -> None:
        """MLflow makes a folder as the embedded store's URI is written, which with a ? or % in it is none of ours."""
        if (stray := Path(self.uri.removeprefix("sqlite:///")).parent) != self.output and self.artifacts is not None:
            with suppress(OSError):
                os.removedirs(stray)

    def _create_database(self, artifacts: str) -> None:
        """Make the embedded database, whole or not at all: MLflow cannot go on with migrations that were killed."""
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        database = self.output / EMBEDDED
        if not database.exists():
            temporary = database.with_name(".mlflow.db.new")
            temporary.unlink(missing_ok=True)
            store = SqlAlchemyStore(keys.sqlite_uri(temporary), artifacts)  # type: ignore[no-untyped-call]
            store.engine.dispose()
            temporary.rename(database)
        _bring_home(database, artifacts)

    def experiment(self, name: str, owner: str | None, tags: Mapping[str, str]) -> "Experiment":
        """The experiment in which `owner` shows `name`, whatever it is called by now, with these tags set.

        It is made if there is none, under another name where the name is somebody else's, and restored if it was
        deleted. Where nobody is known to be its owner, it is the one of that name.
        """
        home = {"reid.name": name, "reid.folder": f"{socket.gethostname()}:{self.output}"}
        home |= {"reid.owner": owner} if owner else {}
        told = {key: keys.value(value, keys.LONGEST_EXPERIMENT_TAG) for key, value in {**home, **tags}.items()}
        with self.lock:
            found = self._owned(name, owner) if owner else None
            found = found or self._unowned(name)
            if found is None:
                free = name
                if self.client.get_experiment_by_name(name) is not None:
                    free = f"{name}-{(owner or self.owner)[:8]}"
                made = self.client.create_experiment(free, artifact_location=self.artifacts, tags=told)
                return self.client.get_experiment(made)
            if found.lifecycle_stage == "deleted":
                self.client.restore_experiment(found.experiment_id)
            self.tag_experiment(found, told)
        return found

    def tag_experiment(self, experiment: "Experiment", tags: Mapping[str, str]) -> None:
        """Set the tags of an experiment that it did not have when it was read."""
        for key, value in tags.items():
            if experiment.tags.get(key) != value:
                self.client.set_experiment_tag(experiment.experiment_id, key, value)

    def experiments(self, where: Mapping[str, str]) -> "list[Experiment]":
        """Experiments, deleted ones too, whose tags have these values."""
        from mlflow.entities import ViewType

        return _all_pages(
            lambda token: self.client.search_experiments(ViewType.ALL, PAGE, _having(where), page_token=token)
        )

    def _owned(self, name: str, owner: str) -> "Experiment | None":
        ours = self.experiments({"reid.owner": owner, "reid.name": name})
        return min(ours, key=lambda one: (one.lifecycle_stage == "deleted", one.creation_time), default=None)

    def _unowned(self, name: str) -> "Experiment | None":
        """The experiment of that name where nobody says it is theirs: made before that was said, or empty."""
        found = self.client.get_experiment_by_name(name)
        if found is None or "reid.owner" in found.tags:
            return None
        if "reid.dataset" in found.tags or not self.client.search_runs([found.experiment_id], max_results=1):
            return found
        return None

    def run(self, run_id: str | None) -> "Run | None":
        """The run of that id, or None if there is none (any more)."""
        from mlflow.exceptions import MlflowException

        if run_id is None:
            return None
        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return run if run.info.lifecycle_stage == "active" else None

    def search(self, experiment: str, where: Mapping[str, str], status: str | None = None) -> "list[Run]":
        """Runs of an experiment whose tags have these values."""
        terms = " and ".join(
            [*filter(None, [_having(where)]), *([f"attributes.status = '{status}'"] if status else [])]
        )
        return _all_pages(
            lambda token: self.client.search_runs([experiment], terms, max_results=PAGE, page_token=token)
        )

    def log(self, run_id: str, metrics: "list[Metric]", params: Mapping[str, object], tags: Mapping[str, str]) -> None:
        """Write everything in as few batches as there can be; what is there already stays as it is."""
        from mlflow.entities import Param, RunTag

        as_params = [Param(key, value) for key, value in told_params(params).items()]
        as_tags = [RunTag(keys.key(key), keys.value(value)) for key, value in tags.items()]
        batches = zip_longest(_cut(metrics, METRICS), _cut(as_params, TAGS), _cut(as_tags, TAGS), fillvalue=())
        for some_metrics, some_params, some_tags in batches:
            self.client.log_batch(run_id, some_metrics, some_params, some_tags)

    def fetch(self, run: "Run", artifact: str, to: Path) -> None:
        """Write an artifact to a file. Not by the client, whose threads would keep this process from ending."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        artifacts = get_artifact_repository(run.info.artifact_uri, tracking_uri=self.uri)
        self._patience.call(FILES_SECONDS, artifacts._download_file, artifact, str(to))


def told_params(params: Mapping[str, object]) -> dict[str, str]:
    """Parameters as MLflow keeps them."""
    return {keys.key(key): keys.value(value, keys.LONGEST_PARAM) for key, value in params.items()}


def _all_pages(ask: "Callable[[str | None], PagedList[Entry]]") -> list[Entry]:
    """All entries of a search, which a server answers page by page; one that never ends is refused."""
    found: list[Entry] = []
    token = None
    for _ in range(MOST_PAGES):
        page = ask(token)
        found += page
        if not (token := page.token):
            return found
    raise RefusedError(f"a search did not end after {MOST_PAGES} pages; see what answers there")


def _having(where: Mapping[str, str]) -> str:
    return " and ".join(f"tags.`{key}` = '{value}'" for key, value in where.items())


def _cut(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))


def _connect(uri: str) -> None:
    """Connect to a database once: MLflow tries for two minutes, whatever the reason. Raises what SQLAlchemy does."""
    from sqlalchemy import create_engine

    engine = create_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


@contextmanager
def tracking_errors(uri: str) -> Iterator[None]:
    """Tell every failure of the store as one TrackingError that says which store and what to do."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError, ImportError) as error:
        reason = hide((str(error).strip() or type(error).__name__).splitlines()[0], uri)[:300]
        kind = RefusedError if getattr(error, "error_code", "") in REFUSALS else TrackingError
        raise kind(f"tracking store {hide_uri(uri)}: {reason}") from error
