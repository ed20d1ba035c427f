"""MLflow as a projection of the run folders. The only importer of mlflow, and that lazily: the import costs 2 s."""

from reid.tracking.download import download
from reid.tracking.forget import delete_projections
from reid.tracking.grid_tracker import Tracker
from reid.tracking.mlflow_store import TrackingError
from reid.tracking.server import serve
from reid.tracking.study_tracker import study_tracker
from reid.tracking.sync import sync

__all__ = ["Tracker", "TrackingError", "delete_projections", "download", "serve", "study_tracker", "sync"]
