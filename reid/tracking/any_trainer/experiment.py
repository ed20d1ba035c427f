"""An MLflow experiment as a table of texts: a row a run, its parameters, tags and last metrics."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from reid.analysis.any_trainer import Sheet, clean
from reid.errors import InputError
from reid.shown import hide_uri
from reid.tracking.mlflow_store import Store, tracking_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PAGE = 1000  # runs in one answer


def experiment_sheet(uri: str, name: str) -> Sheet:
    """The runs of an experiment, without deleted ones, oldest first.

    Columns: status, name, "params.…", "tags.…" and "metrics.…" as MLflow names them, a metric being its last value.
    Nothing is written there. Raises InputError where there is no such store or experiment, or it has no run;
    TrackingError where the store cannot be used.
    """
    _must_exist(uri)
    with TemporaryDirectory() as temporary:
        store = Store(uri, Path(temporary))
        with tracking_errors(uri):
            found = store.client.get_experiment_by_name(name)
            if found is None:
                names = ", ".join(sorted(one.name for one in store.client.search_experiments()))
                raise InputError(f"{uri}: --experiment {name!r} must be an experiment there, found {names or 'none'}")
            runs = list(_runs(store.client, str(found.experiment_id)))
    if not runs:
        raise InputError(f"{uri}: --experiment {name!r} must have a run, found none")
    rows = [_row(run) for run in runs]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    newest = max(run.info.end_time or run.info.start_time or 0 for run in runs)
    return Sheet(
        where=f"experiment {name} of {hide_uri(uri)}",
        name=name,
        heads=[clean(key) for key in keys],
        columns=[[clean(row.get(key, "")) for row in rows] for key in keys],
        rows=[clean(f"run {run.info.run_name or run.info.run_id}") for run in runs],
        created=datetime.fromtimestamp(newest / 1000, UTC).isoformat(timespec="seconds"),
    )


def _must_exist(uri: str) -> None:
    """MLflow makes the SQLite file or the folder that it is asked to read."""
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file", "sqlite"):
        return
    path = Path(unquote(parts.path.removeprefix("/") if parts.scheme == "sqlite" else parts.path))
    if not path.exists():
        raise InputError(
            f"--from-mlflow {uri}: must be a server, or a file or folder that is there, found none at {path}"
        )


def _runs(client: "MlflowClient", experiment: str) -> "Iterator[Run]":
    token = None
    while True:
        page = client.search_runs([experiment], max_results=PAGE, order_by=["attributes.start_time"], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _row(run: "Run") -> dict[str, str]:
    row = {"status": run.info.status, "name": run.info.run_name or ""}
    row |= {f"params.{key}": value for key, value in run.data.params.items()}
    row |= {f"metrics.{key}": repr(float(value)) for key, value in run.data.metrics.items()}
    return row | {f"tags.{key}": value for key, value in run.data.tags.items() if not key.startswith("mlflow.")}
