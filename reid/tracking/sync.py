"""Rebuild MLflow from the run folders, and repair what killed processes left behind."""

from pathlib import Path

from reid.errors import InputError
from reid.store.plan_old import planned_grids, read_grid
from reid.store.run_folder import RunFolder
from reid.tracking.grid_tracker import Tracker
from reid.tracking.mlflow_store import tracking_errors
from reid.tracking.study_payload import planned_studies
from reid.tracking.study_tracker import sync_study


def sync(output: Path, uri: str | None, name: str | None = None) -> int:
    """Project every run folder of the grid and the study of that name, or of all; returns the number of runs projected.

    A run of a grid that MLflow believes RUNNING while no folder says so is set to KILLED. Raises InputError if there is
    neither and TrackingError if the store cannot be used.
    """
    grids = [folder for folder in planned_grids(output) if name in (None, folder.name)]
    studies = [folder for folder in planned_studies(output) if name in (None, folder.name)]
    if not grids and not studies:
        what = f"no grid or study {name!r}" if name else "no grid or study"
        raise InputError(f"{output}: holds {what} to sync; make one with `reid ablate` or `reid tune` first")
    return sum(_sync_grid(output, uri, folder) for folder in grids) + sum(
        sync_study(uri, output, folder) for folder in studies
    )


def _sync_grid(output: Path, uri: str | None, grid_folder: Path) -> int:
    grid = read_grid(grid_folder)
    tracker = Tracker(uri, output)
    experiment = tracker.open_grid(grid_folder)
    runs = [RunFolder(output / "runs" / signature) for signature in grid.runs]
    begun = [run for run in runs if run.state() != "planned"]
    for run in begun:
        tracker.project(run.path)
    running = {run.signature for run in begun if run.state() == "running"}
    with tracking_errors(tracker.store.uri):
        for left in tracker.store.search(experiment, {"reid.kind": "run"}, status="RUNNING"):
            if left.data.tags["reid.signature"] not in running:
                tracker.store.client.set_tag(left.info.run_id, "reid.state", "stopped")
                tracker.store.client.set_terminated(left.info.run_id, "KILLED")
    tracker.close()
    return len(begun)
