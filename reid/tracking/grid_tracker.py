"""Project run folders into MLflow: an experiment a grid, a parent run an arm, a child run a training.

An arm is known by what it is trained with, not by the digits of its name, which another plan of that grid may give to
something else.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reid.files import DamagedFileError
from reid.store.looks import read_looks
from reid.store.plan import GridFolder, Plan, read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.tracking import payload as facts
from reid.tracking.figures import draw_arm
from reid.tracking.generations import NUMBER, open_generation, version_of
from reid.tracking.grid_views import view_tags
from reid.tracking.mlflow_store import RefusedError, Store, tracking_errors
from reid.tracking.writer import STATUS, Writer, agrees

if TYPE_CHECKING:
    from mlflow.entities import Run


class OpenGrid:
    """A grid as it was planned when it was read, and where MLflow shows it."""

    def __init__(self, path: Path) -> None:
        self.read = _written(path)
        self.folder: GridFolder = read_plan(path)
        self.version = version_of(self.plan)
        self.experiment: str | None = None
        self.generation = ""
        self.arms: dict[str, str] = {}

    @property
    def plan(self) -> Plan:
        return self.folder.plan

    def is_replaced(self) -> bool:
        """Whether the plan on disk is not the one that was read."""
        return _written(self.folder.path) not in (None, self.read)


class Tracker:
    """One per orchestrator process, called from one thread. Every method may raise TrackingError, and be called again.

    `uri` None means the embedded store: ``<output>/mlflow.db`` with artifacts in ``<output>/mlartifacts``. `notices`
    are lines for the user that came up.
    """

    def __init__(self, uri: str | None, output: Path) -> None:
        self.store = Store(uri, output)
        self.output = output
        self.notices: list[str] = []
        self._writer = Writer(self.store)
        self._grids: dict[str, OpenGrid] = {}
        self._replaced: set[str] = set()  # runs of plans that were replaced
        self._drawn: set[str] = set()

    def open_grid(self, grid_folder: Path) -> str:
        """Id of the grid's experiment, made or brought up to date: its description and its saved views."""
        grid = OpenGrid(grid_folder)
        self._grids[grid.plan.name] = grid  # known even if the store is down now: project() tries again
        with tracking_errors(self.store.uri):
            return self._experiment(grid)

    def project(self, run_folder: Path) -> None:
        """Make MLflow say what the folder says now, in every open grid that has this run. Idempotent.

        The folder of a grid that grew is one too.
        """
        if (run_folder / "plan.json").exists():
            self.open_grid(run_folder)
            return
        folder = RunFolder(run_folder)
        if folder.read_state().state == RunState.PLANNED:
            return  # its worker has not written anything yet
        self._read_again()
        grids = [grid for grid in self._grids.values() if folder.signature in grid.plan.run_by_signature]
        if not grids and folder.signature not in self._replaced:
            raise RefusedError(f"{run_folder}: no open grid has this run; open its grid first")
        with tracking_errors(self.store.uri):
            for grid in grids:
                self._project(folder, grid)

    def close(self) -> None:
        """Nothing is buffered: every call has written all it knows. Forget what was cached."""
        for grid in self._grids.values():
            grid.experiment = None
            grid.arms.clear()
        self._writer.forget()
        self._drawn.clear()

    def _read_again(self) -> None:
        """Read the plans anew that another launch has replaced."""
        for name, grid in self._grids.items():
            if grid.is_replaced():
                self._replaced.update(grid.plan.run_by_signature)
                self._grids[name] = OpenGrid(grid.folder.path)

    def _experiment(self, grid: OpenGrid) -> str:
        plan = grid.plan
        if grid.experiment is None:
            tags = {
                "mlflow.note.content": facts.experiment_note(plan),
                "mlflow.experimentKind": "custom_model_development",
                "mlflow.experiment.primaryMetric.name": "final/mAP",
                "reid.dataset": plan.dataset.name if plan.dataset else "",
                **view_tags(plan),
            }
            found = self.store.experiment(plan.name, self.store.owner, tags)
            if found.name != plan.name:
                self.notices.append(f"grid {plan.name} is shown in the experiment {found.name!r}")
            looks = read_looks(grid.folder.path)
            grid.generation = open_generation(self.store, self._writer, found, plan, looks)
            grid.experiment = str(found.experiment_id)
        return grid.experiment

    def _project(self, folder: RunFolder, grid: OpenGrid) -> None:
        plan, planned = grid.plan, grid.plan.run_by_signature[folder.signature]
        experiment = self._experiment(grid)
        parent = self._arm(grid, experiment, planned.arm)
        title = f"{planned.arm} s{planned.seed}"
        try:
            params = facts.run_params(plan, folder)
            tags = {**facts.run_tags(plan, folder), "mlflow.parentRunId": parent, NUMBER: grid.generation}
            run = self._run(folder, grid, experiment, parent, title, params)
            self._writer.write_run(run, folder, title, tags, params, f"plan {grid.version}")
        except DamagedFileError as error:
            run = self._run(folder, grid, experiment, parent, title, facts.arm_params(plan, planned.arm))
            self._writer.write_unreadable(run, error)
        self._write_arm(plan, planned.arm, parent)

    def _run(
        self, folder: RunFolder, grid: OpenGrid, experiment: str, parent: str, title: str, params: facts.Params
    ) -> "Run":
        """The child run of a folder: the one it remembers, else the one with its signature, else a new one."""
        try:
            known = folder.read_projections()
        except DamagedFileError:  # its signature finds it too
            known = {}
        key = f"{self.store.reference}|{grid.plan.name}"
        run = self.store.run(known.get(key))
        if run is None or run.info.experiment_id != experiment or not agrees(run, params):
            state = folder.read_state()
            started = state.started or state.updated or 0.0  # lost before it had begun, in a queue
            more = {"reid.kind": "run", "mlflow.parentRunId": parent}
            tags = {"reid.signature": folder.signature}
            run = self._writer.find_or_create(experiment, tags, more, title, started, params)
            folder.write_projections({**known, key: run.info.run_id})
        return run

    def _arm(self, grid: OpenGrid, experiment: str, arm: str) -> str:
        plan = grid.plan
        if arm not in grid.arms:
            tags, params = {"reid.recipe": facts.arm_signature(plan, arm)}, facts.arm_params(plan, arm)
            run = self._writer.find_or_create(experiment, tags, {"reid.kind": "arm"}, arm, plan.created, params)
            self._writer.name(run, arm)
            self.store.log(run.info.run_id, [], params, {NUMBER: grid.generation})
            grid.arms[arm] = run.info.run_id
        return grid.arms[arm]

    def _write_arm(self, plan: Plan, arm: str, run_id: str) -> None:
        """An arm says what its seeds say together; it ends when they have."""
        folders = [RunFolder(self.output / "runs" / run.signature) for run in plan.runs_of(arm)]
        records = [folder.read_state() for folder in folders]
        states = [record.state for record in records]
        state = facts.arm_state(states)
        tags = {**facts.arm_tags(plan, arm, state), "mlflow.note.content": facts.arm_note(plan, arm, states)}
        self._writer.write_means(run_id, facts.arm_points(folders), {**tags, "reid.kind": "arm"})
        times = [record.updated or 0.0 for record in records if record.state != RunState.PLANNED]
        self._writer.end(run_id, STATUS[state], max(map(facts.milliseconds, times)))
        if run_id not in self._drawn and all(state.has_result for state in states):
            with tempfile.TemporaryDirectory() as temporary:
                draw_arm(folders, arm, Path(temporary))
                self.store.client.log_artifacts(run_id, temporary)
            self._drawn.add(run_id)


def _written(grid_folder: Path) -> tuple[int, int] | None:
    """Which plan.json this is: it is replaced, not written over. None where there is none."""
    try:
        found = (grid_folder / "plan.json").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
