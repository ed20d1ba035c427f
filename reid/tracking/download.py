"""A grid's folders made again from a tracking server alone, for a report where the run folders are not at hand."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from reid.errors import InputError
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState, StateRecord
from reid.tracking.grid_tracker import PLAN
from reid.tracking.mlflow_store import Store, tracking_errors
from reid.tracking.writer import FOLDER

if TYPE_CHECKING:
    from mlflow.entities import Run

AT_A_TIME = 8
CURVES = "curves.parquet"


def download(uri: str, grid: str, output: Path) -> Path:
    """Write the plan and the run folders of `grid` under `output`, and return the grid's folder.

    Curves, results, rank lists and what was asked come back as they were; checkpoints and weights are not on the
    server. Raises InputError where the server has no such grid or not its plan, TrackingError where it cannot be used.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    store = Store(uri, output)
    with tracking_errors(uri):
        found = store.client.get_experiment_by_name(grid)
        if found is None:
            names = ", ".join(sorted(one.name for one in store.client.search_experiments() if one.name != "Default"))
            raise InputError(f"{uri}: the grid {grid} must be an experiment there, found {names or 'none'}")
        keepers = store.search(found.experiment_id, {"reid.kind": "arm", "reid.plan": PLAN})
        if not keepers:
            raise InputError(f"{uri}: the experiment {grid} holds no plan; bring it up to date with `reid sync {grid}`")
        folder = output / "grids" / grid
        folder.mkdir(parents=True)
        store.client.download_artifacts(keepers[0].info.run_id, PLAN, str(folder))
        runs = store.search(found.experiment_id, {"reid.kind": "run"})
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda run: _download_run(store, run, output / "runs"), runs))
    return folder


def _download_run(store: Store, run: "Run", runs: Path) -> None:
    folder = RunFolder(runs / run.data.tags["reid.signature"])
    folder.path.mkdir(parents=True)
    for file in store.client.list_artifacts(run.info.run_id, FOLDER):
        copy = Path(store.client.download_artifacts(run.info.run_id, file.path, str(folder.path)))
        copy.rename(folder.path / copy.name)  # with or without its artifact folder, as the kind of store has it
    if not (folder.path / "state.json").exists():  # still running: the rest is sent when it ends
        folder.write_state(StateRecord(state=RunState(run.data.tags["reid.state"])))
    elif any(file.path == CURVES for file in store.client.list_artifacts(run.info.run_id)):
        store.client.download_artifacts(run.info.run_id, CURVES, str(folder.path))
