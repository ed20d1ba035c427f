"""Rebuild MLflow from the run folders, and repair what killed processes left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reid.errors import InputError
from reid.store.plan import GridFolder, planned_grids
from reid.store.run_records import RunState
from reid.store.study import planned_studies
from reid.tracking.grid_tracker import Tracker
from reid.tracking.mlflow_store import RefusedError, tracking_errors
from reid.tracking.study.tracker import sync_study


@dataclass
class Synced:
    """What a sync did: the number of runs projected, and a line for whatever the user should know or was refused."""

    runs: int = 0
    notices: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def sync(output: Path, uri: str | None, name: str | None = None) -> Synced:
    """Project every run folder of the grid and the study of that name, or of all.

    A run of a grid that MLflow believes RUNNING while no folder says so is set to KILLED. What cannot be read, or is
    refused by the store, keeps nothing else from being projected. Raises InputError if there is neither grid nor study,
    and TrackingError if the store cannot be used.
    """
    grids = [grid for grid in planned_grids(output) if name in (None, grid.plan.name)]
    studies = [folder for folder in planned_studies(output) if name in (None, folder.name)]
    if not grids and not studies:
        what = f"no grid or study {name!r}" if name else "no grid or study"
        raise InputError(f"{output}: holds {what} to sync; make one with `reid ablate` or `reid tune` first")
    done = Synced()
    for grid in grids:
        with _isolated(done, f"grid {grid.plan.name}"):
            _sync_grid(output, uri, grid, done)
    for folder in studies:
        with _isolated(done, f"study {folder.name}"):
            done.runs += sync_study(uri, output, folder, done.notices)
    return done


@contextmanager
def _isolated(done: Synced, what: str) -> Iterator[None]:
    """Note what is refused inside, and go on after it."""
    try:
        yield
    except (RefusedError, InputError) as error:
        done.refused.append(f"{what}: {error}")


def _sync_grid(output: Path, uri: str | None, grid: GridFolder, done: Synced) -> None:
    tracker = Tracker(uri, output)
    experiment = tracker.open_grid(grid.path)
    done.notices += tracker.notices
    running = set()
    for signature in grid.plan.run_by_signature:
        with _isolated(done, f"grid {grid.plan.name}, run {signature}"):
            state = grid.run(signature).read_state().state
            if state == RunState.RUNNING:
                running.add(signature)
            if state != RunState.PLANNED:
                tracker.project(grid.run(signature).path)
                done.runs += 1
    with tracking_errors(tracker.store.uri):
        for left in tracker.store.search(experiment, {"reid.kind": "run"}, status="RUNNING"):
            if left.data.tags["reid.signature"] not in running:
                tracker.store.client.set_tag(left.info.run_id, "reid.state", "stopped")
                tracker.store.client.set_terminated(left.info.run_id, "KILLED")
    tracker.close()
