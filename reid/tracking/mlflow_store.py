"""The MLflow tracking store: opened once, guarded by a lock, with failures told as TrackingError."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

BATCH = 1000  # the most entries that MLflow takes at once
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A training must not wait for a tracker that is down: MLflow itself would try for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class TrackingError(Exception):
    """The tracking store cannot be used now. The run folders are complete: `reid sync` makes it up later."""


def embedded_uri(output: Path) -> str:
    """The store used when no tracking URI is given: a SQLite file in the output folder."""
    return f"sqlite:///{output.resolve()}/mlflow.db"


class Store:
    """One tracking store. Nothing is opened before the first use, so a store that is down fails there."""

    def __init__(self, uri: str | None, output: Path) -> None:
        self.uri = uri or embedded_uri(output)
        self.output = output.resolve()
        self.artifacts = (self.output / "mlartifacts").as_uri() if uri is None else None
        # One process of an output folder at a time migrates the store, or looks for something and creates it.
        self.lock = FileLock(self.output / "mlflow.lock")
        for name, value in QUIET.items():  # before the import, which reads some of them
            os.environ.setdefault(name, value)

    @cached_property
    def client(self) -> "MlflowClient":
        """The client of a store whose tables are made and migrated. Raises what MLflow raises."""
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # its tracebacks: we tell the error
        with self.lock:
            if self.artifacts is not None:
                self._create_database(self.artifacts)
            client = MlflowClient(self.uri, registry_uri=self.uri)
            client.search_experiments(max_results=1)
        return client

    def _create_database(self, artifacts: str) -> None:
        """Make the embedded database, whole or not at all: MLflow cannot go on with migrations that were killed."""
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        database = self.output / "mlflow.db"
        if not database.exists():
            temporary = database.with_name(".mlflow.db.new")
            temporary.unlink(missing_ok=True)
            store = SqlAlchemyStore(f"sqlite:///{temporary}", artifacts)  # type: ignore[no-untyped-call]
            store.engine.dispose()
            temporary.rename(database)

    def experiment(self, name: str, tags: Mapping[str, str]) -> str:
        """Id of the experiment `name`, created if need be (restored if it was deleted), with these tags set."""
        with self.lock:
            found = self.client.get_experiment_by_name(name)
            if found is None:
                return str(self.client.create_experiment(name, artifact_location=self.artifacts, tags=dict(tags)))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        for key, value in tags.items():
            if found.tags.get(key) != value:
                self.client.set_experiment_tag(found.experiment_id, key, value)
        return str(found.experiment_id)

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
        terms = [f"tags.`{key}` = '{value}'" for key, value in where.items()]
        terms += [f"attributes.status = '{status}'"] if status else []
        return list(self.client.search_runs([experiment], " and ".join(terms), max_results=10_000))

    def log(self, run_id: str, metrics: "list[Metric]", params: Mapping[str, object], tags: Mapping[str, str]) -> None:
        """Write everything in as few batches as there can be; what is there already stays as it is."""
        from mlflow.entities import Param, RunTag

        as_params = [Param(key, str(value)) for key, value in params.items()]
        as_tags = [RunTag(key, value) for key, value in tags.items()]
        first = BATCH - len(as_params) - len(as_tags)
        self.client.log_batch(run_id, metrics[:first], as_params, as_tags)
        for start in range(first, len(metrics), BATCH):
            self.client.log_batch(run_id, metrics[start : start + BATCH])


@contextmanager
def tracking_errors(uri: str) -> Iterator[None]:
    """Tell every failure of the store as one TrackingError that says which store and what to do."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise TrackingError(f"tracking store {uri}: {reason}") from error
