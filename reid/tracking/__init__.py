"""MLflow as a projection of the run folders. The only importer of mlflow, and that lazily: the import costs 2 s."""

from reid.tracking.download import download
from reid.tracking.forget import delete_projections
from reid.tracking.grid_tracker import Tracker
from reid.tracking.mlflow_store import RefusedError, TrackingError
from reid.tracking.server import serve
from reid.tracking.study.tracker import study_tracker
from reid.tracking.sync import Synced, sync

__all__ = [
    "RefusedError",
    "Synced",
    "Tracker",
    "TrackingError",
    "delete_projections",
    "download",
    "serve",
    "study_tracker",
    "sync",
]
