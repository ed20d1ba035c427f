"""Rebuild MLflow from the run folders, and repair what killed processes left behind."""

from pathlib import Path

from reid.errors import InputError
from reid.store.plan import GridFolder, planned_grids
from reid.store.run_records import RunState
from reid.store.study import planned_studies
from reid.tracking.grid_tracker import Tracker
from reid.tracking.mlflow_store import tracking_errors
from reid.tracking.study_tracker import sync_study


def sync(output: Path, uri: str | None, name: str | None = None) -> int:
    """Project every run folder of the grid and the study of that name, or of all; returns the number of runs projected.

    A run of a grid that MLflow believes RUNNING while no folder says so is set to KILLED. Raises InputError if there is
    neither and TrackingError if the store cannot be used.
    """
    grids = [grid for grid in planned_grids(output) if name in (None, grid.plan.name)]
    studies = [folder for folder in planned_studies(output) if name in (None, folder.name)]
    if not grids and not studies:
        what = f"no grid or study {name!r}" if name else "no grid or study"
        raise InputError(f"{output}: holds {what} to sync; make one with `reid ablate` or `reid tune` first")
    return sum(_sync_grid(output, uri, grid) for grid in grids) + sum(
        sync_study(uri, output, folder) for folder in studies
    )


def _sync_grid(output: Path, uri: str | None, grid: GridFolder) -> int:
    tracker = Tracker(uri, output)
    experiment = tracker.open_grid(grid.path)
    states = {run.signature: grid.run(run.signature).read_state().state for run in grid.plan.runs}
    begun = [signature for signature, state in states.items() if state != RunState.PLANNED]
    for signature in begun:
        tracker.project(grid.run(signature).path)
    running = {signature for signature, state in states.items() if state == RunState.RUNNING}
    with tracking_errors(tracker.store.uri):
        for left in tracker.store.search(experiment, {"reid.kind": "run"}, status="RUNNING"):
            if left.data.tags["reid.signature"] not in running:
                tracker.store.client.set_tag(left.info.run_id, "reid.state", "stopped")
                tracker.store.client.set_terminated(left.info.run_id, "KILLED")
    tracker.close()
    return len(begun)
