"""A grid's folders made again from a tracking server alone, for a report where the run folders are not at hand."""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reid.errors import InputError
from reid.files import write_record
from reid.store.looks import LOOKS
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import DatasetRecord, RunState, StateRecord
from reid.tracking.generations import NUMBER, PLAN
from reid.tracking.mlflow_store import Store, tracking_errors
from reid.tracking.writer import FOLDER, KEPT

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

AT_A_TIME = 8
MOST_BYTES = 2**30  # of one artifact
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
SIGNATURE = re.compile(r"[0-9a-f]{16,64}")
CURVES = "curves.parquet"


def download(uri: str, grid: str, output: Path, images: Path | None = None) -> Path:
    """Write the plan and the run folders of `grid` under `output`, and return the grid's folder.

    Curves, results, rank lists and what was asked come back as they were; checkpoints and weights are not on the
    server. What the server says is a stranger's: only runs of the plan and files of the known names are written, and
    pictures are looked for below `images`, never where the server says that they are. Raises InputError where the
    server has no such grid or not its plan, TrackingError where it cannot be used.
    """
    if not NAME.fullmatch(grid):
        raise InputError(f"{uri}: {grid!r} is no name of a grid; give the name of an experiment there")
    os.environ.setdefault("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")  # in threads that our end would wait for
    store = Store(uri, output)
    with tracking_errors(uri):
        found = _experiment(store, grid)
        newest = found.tags.get(NUMBER)
        keepers = store.search(found.experiment_id, {"reid.plan": PLAN})
        keepers = [run for run in keepers if run.data.tags.get(NUMBER) == newest]
        if not keepers:
            raise InputError(f"{uri}: the experiment {grid} holds no plan; bring it up to date with `reid sync {grid}`")
        folder = output / "grids" / grid
        folder.mkdir(parents=True)
        _fetch(store, keepers[0], PLAN, folder / PLAN)
        if any(file.path == LOOKS for file in store.client.list_artifacts(keepers[0].info.run_id)):
            _fetch(store, keepers[0], LOOKS, folder / LOOKS)
        plan, root = read_plan(folder).plan, "" if images is None else str(images.resolve())
        if plan.dataset:
            write_record(folder / PLAN, plan.model_copy(update={"dataset": _at(plan.dataset, root)}))
        planned = plan.run_by_signature
        for run in planned.values():
            if not SIGNATURE.fullmatch(run.signature):
                raise InputError(f"{uri}: the plan of {grid} names a run {run.signature[:40]!r}, which is no signature")
        runs = store.search(found.experiment_id, {"reid.kind": "run"})
        ours = [run for run in runs if run.data.tags.get("reid.signature") in planned]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda run: _download_run(store, run, output / "runs", root), ours))
    return folder


def _experiment(store: Store, grid: str) -> "Experiment":
    """The experiment that is called `grid`, or that shows a grid of that name."""
    found = store.client.get_experiment_by_name(grid)
    if found is not None:
        return found
    shown = [one for one in store.experiments({"reid.name": grid}) if one.lifecycle_stage == "active"]
    if len(shown) == 1:
        return shown[0]
    names = [one.name for one in shown or store.client.search_experiments() if one.name != "Default"]
    raise InputError(
        f"{store.shown}: the grid {grid} must be an experiment there, found {', '.join(sorted(names)) or 'none'}"
    )


def _download_run(store: Store, run: "Run", runs: Path, root: str) -> None:
    folder = RunFolder(runs / run.data.tags["reid.signature"])
    folder.path.mkdir(parents=True, exist_ok=True)
    run_id = run.info.run_id
    there = {file.path for file in store.client.list_artifacts(run_id, FOLDER)}
    for name in KEPT:
        if f"{FOLDER}/{name}" in there:
            _fetch(store, run, f"{FOLDER}/{name}", folder.path / name)
    if asked := folder.read_run():
        folder.write_run(asked.model_copy(update={"dataset": _at(asked.dataset, root)}))
    if not (folder.path / "state.json").exists():  # still running: the rest is sent when it ends
        folder.write_state(StateRecord(state=_state(run)))
    elif any(file.path == CURVES for file in store.client.list_artifacts(run_id)):
        _fetch(store, run, CURVES, folder.path / CURVES)


def _at(dataset: DatasetRecord, root: str) -> DatasetRecord:
    """The record of data that lie in another folder."""
    return dataset.model_copy(
        update={"root": root, "sets": {name: _at(one, root) for name, one in dataset.sets.items()}}
    )


def _state(run: "Run") -> RunState:
    told = run.data.tags.get("reid.state", "")
    return RunState(told) if told in tuple(RunState) else RunState.STOPPED


def _fetch(store: Store, run: "Run", artifact: str, to: Path) -> None:
    """One artifact to the file `to`, and nowhere else: whoever can write to the server chooses what it is called."""
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / "artifact"
        store.fetch(run, artifact, copy)
        if not copy.is_file() or copy.is_symlink():
            raise InputError(f"{store.shown}: artifact {artifact} of run {run.info.run_id} is not a file; sync again")
        if (size := copy.stat().st_size) > MOST_BYTES:
            what = f"artifact {artifact} of run {run.info.run_id}"
            raise InputError(f"{store.shown}: {what} has {size:,} bytes, at most {MOST_BYTES:,}")
        shutil.copyfile(copy, to)
