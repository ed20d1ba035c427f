"""Deletes what MLflow shows of a run."""

from pathlib import Path

from reid.shown import hide_uri
from reid.store.run_folder import EMBEDDED, RunFolder
from reid.tracking.keys import without_login
from reid.tracking.mlflow_store import Store, tracking_errors


def delete_projections(output: Path, folder: RunFolder, uri: str | None = None) -> list[str]:
    """Delete a run's MLflow runs, in every store and grid it was projected to; returns a line each.

    `uri` opens the store that it names: folders keep no passwords. What shows the folder that this one was copied from
    stays. MLflow keeps what is deleted until `mlflow gc`. Raises TrackingError where a store cannot be used.
    """
    lines = []
    for key, run_id in folder.read_projections().items():
        shown, _, grid = key.rpartition("|")
        named = uri if uri is not None and hide_uri(without_login(uri)) == shown else shown
        store = Store(None if shown == EMBEDDED else named, output)
        with tracking_errors(store.uri):
            if store.run(run_id) is not None:
                store.client.delete_run(run_id)
                lines.append(f"MLflow run {run_id} of grid {grid}: deleted in {store.shown}")
    for key, run_id in folder.read_originals_projections().items():
        shown, _, grid = key.rpartition("|")
        lines.append(
            f"MLflow run {run_id} of grid {grid}: left in {hide_uri(shown)}, for it shows the folder that this one was "
            "copied from; delete it there by hand where that is gone"
        )
    return lines
