"""Deletes what MLflow shows of a run."""

from pathlib import Path

from reid.store.run_folder import RunFolder
from reid.tracking.mlflow_store import Store, embedded_uri, tracking_errors


def delete_projections(output: Path, folder: RunFolder) -> list[str]:
    """Delete a run's MLflow runs, in every store and grid it was projected to; returns a line each.

    MLflow keeps them as deleted until `mlflow gc`. Raises TrackingError where a store cannot be used.
    """
    lines = []
    for key, run_id in folder.read_projections().items():
        uri, _, grid = key.rpartition("|")
        with tracking_errors(uri):
            store = Store(None if uri == embedded_uri(output) else uri, output)
            if store.run(run_id) is not None:
                store.client.delete_run(run_id)
                lines.append(f"MLflow run {run_id} of grid {grid}: deleted in {uri}")
    return lines
