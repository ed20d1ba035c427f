"""Project run folders into MLflow: an experiment a grid, a parent run an arm, a child run a training."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reid.store.plan_old import Grid, read_grid
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
        self._grids: dict[str, Grid] = {}
        self._experiments: dict[str, str] = {}
        self._arms: dict[tuple[str, str], str] = {}
        self._drawn: set[str] = set()

    def open_grid(self, grid_folder: Path) -> str:
        """Id of the grid's experiment, made or brought up to date: its description and its saved views."""
        grid = read_grid(grid_folder)
        self._grids[grid.name] = grid  # known even if the store is down now: project() tries again
        with tracking_errors(self.store.uri):
            return self._experiment(grid)

    def project(self, run_folder: Path) -> None:
        """Make MLflow say what the folder says now, in every open grid that has this run. Idempotent."""
        folder = RunFolder(run_folder)
        if folder.read("run") is None or folder.state() == "planned":
            return  # its worker has not written anything yet
        grids = [grid for grid in self._grids.values() if folder.signature in grid.runs]
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

    def _experiment(self, grid: Grid) -> str:
        if grid.name not in self._experiments:
            plan = grid.plan
            note = f"# {plan['title']}\n\n{plan['question']}\n\n`{plan['command']}`\n\n```yaml\n{plan['yaml']}\n```"
            tags = {
                "mlflow.note.content": note,
                "mlflow.experimentKind": "custom_model_development",
                "mlflow.experiment.primaryMetric.name": "final/mAP",
                "reid.dataset": plan["dataset"]["name"],
                **view_tags(grid),
            }
            self._experiments[grid.name] = self.store.experiment(grid.name, tags)
        return self._experiments[grid.name]

    def _project(self, folder: RunFolder, grid: Grid) -> None:
        planned = grid.runs[folder.signature]
        parent = self._arm(grid, planned["arm"])
        run = self._run(folder, grid, parent)
        title = f"{planned['arm']} s{planned['seed']}"
        self._writer.write_run(run, folder, title, facts.run_tags(grid, folder), facts.run_params(grid, folder))
        self._write_arm(grid, planned["arm"], parent)

    def _run(self, folder: RunFolder, grid: Grid, parent: str) -> "Run":
        """The child run of a folder: the one it remembers, else the one with its signature, else a new one."""
        key, known = f"{self.store.uri}|{grid.name}", folder.read("mlflow") or {}
        run = self.store.run(known.get(key))
        if run is None:
            planned, state = grid.runs[folder.signature], folder.read("state")
            started = state.get("started", state["updated"])  # lost before it had begun, in a queue
            tags = {"reid.kind": "run", "reid.signature": folder.signature}
            name = f"{planned['arm']} s{planned['seed']}"
            more = {"mlflow.parentRunId": parent}
            run = self._writer.find_or_create(self._experiment(grid), tags, more, name, started)
            folder.write("mlflow", {**known, key: run.info.run_id})
        return run

    def _arm(self, grid: Grid, arm: str) -> str:
        if (grid.name, arm) not in self._arms:
            tags = {"reid.kind": "arm", "reid.arm": arm}
            run = self._writer.find_or_create(self._experiment(grid), tags, {}, arm, grid.plan["created"])
            keeper = arm == grid.plan["runs"][0]["arm"]  # the first to be there
            if keeper:
                self.store.client.log_text(run.info.run_id, json.dumps(grid.plan), PLAN)
            self.store.log(run.info.run_id, [], facts.arm_params(grid, arm), {"reid.plan": PLAN} if keeper else {})
            self._arms[grid.name, arm] = run.info.run_id
        return self._arms[grid.name, arm]

    def _write_arm(self, grid: Grid, arm: str, run_id: str) -> None:
        """An arm says what its seeds say together; it ends when they have."""
        folders = [RunFolder(self.output / "runs" / signature) for signature in grid.seeds(arm)]
        states = [folder.state() for folder in folders]
        state = facts.arm_state(states)
        tags = {**facts.arm_tags(grid, arm, state), "mlflow.note.content": facts.arm_note(grid, arm, states)}
        self._writer.log(run_id, facts.arm_points(folders), {}, tags)
        times = [folder.read("state")["updated"] for folder in folders if folder.state() != "planned"]
        self._writer.end(run_id, STATUS[state], max(map(facts.milliseconds, times)))
        if run_id not in self._drawn and all(RunState(state).has_result for state in states):
            with tempfile.TemporaryDirectory() as temporary:
                draw_arm(folders, arm, Path(temporary))
                self.store.client.log_artifacts(run_id, temporary)
            self._drawn.add(run_id)
