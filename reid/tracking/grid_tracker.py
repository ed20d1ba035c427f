"""Project run folders into MLflow: an experiment a grid, a parent run an arm, a child run a training."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reid.files import DamagedFileError
from reid.store.plan import GridFolder, read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.tracking import payload as facts
from reid.tracking.figures import draw_arm
from reid.tracking.grid_views import view_tags
from reid.tracking.mlflow_store import Store, TrackingError, tracking_errors
from reid.tracking.writer import STATUS, Writer

if TYPE_CHECKING:
    from mlflow.entities import Run

PLAN = "plan.json"


class Tracker:
    """One per orchestrator process, called from one thread. Every method may raise TrackingError, and be called again.

    `uri` None means the embedded store: ``<output>/mlflow.db`` with artifacts in ``<output>/mlartifacts``.
    """

    def __init__(self, uri: str | None, output: Path) -> None:
        self.store = Store(uri, output)
        self.output = output
        self._writer = Writer(self.store)
        self._grids: dict[str, GridFolder] = {}
        self._experiments: dict[str, str] = {}
        self._arms: dict[tuple[str, str], str] = {}
        self._drawn: set[str] = set()

    def open_grid(self, grid_folder: Path) -> str:
        """Id of the grid's experiment, made or brought up to date: its description and its saved views."""
        grid = read_plan(grid_folder)
        self._grids[grid.plan.name] = grid  # known even if the store is down now: project() tries again
        with tracking_errors(self.store.uri):
            return self._experiment(grid)

    def project(self, run_folder: Path) -> None:
        """Make MLflow say what the folder says now, in every open grid that has this run. Idempotent."""
        folder = RunFolder(run_folder)
        if folder.read_state().state == RunState.PLANNED:
            return  # its worker has not written anything yet
        grids = [grid for grid in self._grids.values() if folder.signature in grid.plan.run_by_signature]
        if not grids:
            raise TrackingError(f"{run_folder}: no open grid has this run; open its grid first")
        with tracking_errors(self.store.uri):
            for grid in grids:
                self._project(folder, grid)

    def close(self) -> None:
        """Nothing is buffered: every call has written all it knows. Forget what was cached."""
        self._experiments.clear()
        self._arms.clear()
        self._writer.forget()
        self._drawn.clear()

    def _experiment(self, grid: GridFolder) -> str:
        plan = grid.plan
        if plan.name not in self._experiments:
            note = f"# {plan.title}\n\n{plan.question}\n\n`{plan.command}`\n\n```yaml\n{plan.yaml}\n```"
            tags = {
                "mlflow.note.content": note,
                "mlflow.experimentKind": "custom_model_development",
                "mlflow.experiment.primaryMetric.name": "final/mAP",
                "reid.dataset": plan.dataset.name if plan.dataset else "",
                **view_tags(plan),
            }
            self._experiments[plan.name] = self.store.experiment(plan.name, tags)
        return self._experiments[plan.name]

    def _project(self, folder: RunFolder, grid: GridFolder) -> None:
        plan, planned = grid.plan, grid.plan.run_by_signature[folder.signature]
        parent = self._arm(grid, planned.arm)
        run = self._run(folder, grid, parent)
        title = f"{planned.arm} s{planned.seed}"
        try:
            self._writer.write_run(run, folder, title, facts.run_tags(plan, folder), facts.run_params(plan, folder))
        except DamagedFileError as error:
            self._writer.write_unreadable(run, error)
        self._write_arm(grid, planned.arm, parent)

    def _run(self, folder: RunFolder, grid: GridFolder, parent: str) -> "Run":
        """The child run of a folder: the one it remembers, else the one with its signature, else a new one."""
        try:
            known = folder.read_projections()
        except DamagedFileError:  # its signature finds it too
            known = {}
        key = f"{self.store.uri}|{grid.plan.name}"
        run = self.store.run(known.get(key))
        if run is None:
            planned, state = grid.plan.run_by_signature[folder.signature], folder.read_state()
            started = state.started or state.updated or 0.0  # lost before it had begun, in a queue
            tags = {"reid.kind": "run", "reid.signature": folder.signature}
            name = f"{planned.arm} s{planned.seed}"
            more = {"mlflow.parentRunId": parent}
            run = self._writer.find_or_create(self._experiment(grid), tags, more, name, started)
            folder.write_projections({**known, key: run.info.run_id})
        return run

    def _arm(self, grid: GridFolder, arm: str) -> str:
        plan = grid.plan
        if (plan.name, arm) not in self._arms:
            tags = {"reid.kind": "arm", "reid.arm": arm}
            run = self._writer.find_or_create(self._experiment(grid), tags, {}, arm, plan.created)
            keeper = arm == plan.runs[0].arm  # the first to be there
            if keeper:
                self.store.client.log_text(run.info.run_id, plan.model_dump_json(by_alias=True), PLAN)
            self.store.log(run.info.run_id, [], facts.arm_params(plan, arm), {"reid.plan": PLAN} if keeper else {})
            self._arms[plan.name, arm] = run.info.run_id
        return self._arms[plan.name, arm]

    def _write_arm(self, grid: GridFolder, arm: str, run_id: str) -> None:
        """An arm says what its seeds say together; it ends when they have."""
        plan = grid.plan
        folders = [RunFolder(self.output / "runs" / run.signature) for run in plan.runs_of(arm)]
        records = [folder.read_state() for folder in folders]
        states = [record.state for record in records]
        state = facts.arm_state(states)
        tags = {**facts.arm_tags(plan, arm, state), "mlflow.note.content": facts.arm_note(plan, arm, states)}
        self._writer.log(run_id, facts.arm_points(folders), {}, tags)
        times = [record.updated or 0.0 for record in records if record.state != RunState.PLANNED]
        self._writer.end(run_id, STATUS[state], max(map(facts.milliseconds, times)))
        if run_id not in self._drawn and all(state.has_result for state in states):
            with tempfile.TemporaryDirectory() as temporary:
                draw_arm(folders, arm, Path(temporary))
                self.store.client.log_artifacts(run_id, temporary)
            self._drawn.add(run_id)
