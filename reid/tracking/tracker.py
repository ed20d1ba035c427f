"""Project run folders into MLflow: an experiment a grid, a parent run an arm, a child run a training."""

import json
import tempfile
from getpass import getuser
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import reid
from reid.run_folder import ENDED, RunFolder
from reid.tracking import facts
from reid.tracking.figures import draw_arm, draw_figures
from reid.tracking.grid import Grid, read_grid
from reid.tracking.store import Store, TrackingError, tracking_errors
from reid.tracking.views import view_tags

if TYPE_CHECKING:
    from mlflow.entities import Run

# A diverged run is FINISHED for MLflow: divergence is a result that reports count, and MLflow's FAILED is left for runs
# that have none and can be tried again. The tag reid.state, a column of the leaderboard, tells the two apart.
STATUS = {
    "planned": "SCHEDULED",
    "running": "RUNNING",
    "finished": "FINISHED",
    "diverged": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
}
# What a report needs of a run besides its curves, and where it lies among the run's artifacts.
FOLDER = "folder"
KEPT = ("run.json", "state.json", "result.json", "evaluations.json", "query_ap.npy", "ranklists.json", "embeddings.npz")
PLAN = "plan.json"


class Tracker:
    """One per orchestrator process, called from one thread. Every method may raise TrackingError, and be called again.

    `uri` None means the embedded store: ``<output>/mlflow.db`` with artifacts in ``<output>/mlartifacts``.
    """

    def __init__(self, uri: str | None, output: Path) -> None:
        self.store = Store(uri, output)
        self.output = output
        self._grids: dict[str, Grid] = {}
        self._experiments: dict[str, str] = {}
        self._arms: dict[tuple[str, str], str] = {}
        self._sent: dict[str, set[facts.Point]] = {}
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
        self._sent.clear()
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
        state, planned = folder.read("state"), grid.runs[folder.signature]
        parent = self._arm(grid, planned["arm"])
        run = self._run(folder, grid, parent)
        # The tag is the last thing written after the end: a run that has it is whole and needs no second look.
        version = f"{state['state']} {state['updated']} reid {reid.__version__}"
        if run.data.tags.get("reid.projected") != version:
            self._write(folder, grid, run.info.run_id)
            self._status(run.info.run_id, state["state"], facts.milliseconds(state["updated"]))
            if state["state"] != "running":
                self.store.client.set_tag(run.info.run_id, "reid.projected", version)
                self._sent.pop(run.info.run_id, None)
        self._write_arm(grid, planned["arm"], parent)

    def _write(self, folder: RunFolder, grid: Grid, run_id: str) -> None:
        tags, params, points = facts.run_tags(grid, folder), facts.run_params(grid, folder), facts.run_points(folder)
        if run_id not in self._sent:
            self.store.client.log_artifact(run_id, str(folder.path / "run.json"), FOLDER)
        self._log(run_id, points, params, tags)
        if folder.state() != "running":
            with tempfile.TemporaryDirectory() as temporary:
                title = f"{tags['reid.arm']} s{tags['reid.seed']}"
                draw_figures(folder, title, Path(temporary))
                copy_folder(folder, Path(temporary) / FOLDER)
                self.store.client.log_artifacts(run_id, temporary)
            for path in (folder.path / "curves.parquet", folder.log):
                if path.exists():
                    self.store.client.log_artifact(run_id, str(path))

    def _log(self, run_id: str, points: list[facts.Point], params: dict[str, Any], tags: dict[str, str]) -> None:
        """Log what this process has not sent yet."""
        from mlflow.entities import Metric

        sent = self._sent.setdefault(run_id, set())
        new = [point for point in points if point not in sent]
        self.store.log(run_id, [Metric(p.key, p.value, p.time, p.step) for p in new], params, tags)
        sent.update(new)

    def _status(self, run_id: str, state: str, end: int) -> None:
        if state in ("running", "planned"):
            self.store.client.update_run(run_id, status=STATUS[state])
        else:
            self.store.client.set_terminated(run_id, STATUS[state], end)

    def _run(self, folder: RunFolder, grid: Grid, parent: str) -> "Run":
        """The child run of a folder: the one it remembers, else the one with its signature, else a new one."""
        key, known = f"{self.store.uri}|{grid.name}", folder.read("mlflow") or {}
        run = self.store.run(known.get(key))
        if run is None:
            planned, started = grid.runs[folder.signature], folder.read("state")["started"]
            tags = {"reid.kind": "run", "reid.signature": folder.signature}
            name = f"{planned['arm']} s{planned['seed']}"
            run = self._find_or_create(grid, tags, {"mlflow.parentRunId": parent}, name, started)
            folder.write("mlflow", {**known, key: run.info.run_id})
        return run

    def _arm(self, grid: Grid, arm: str) -> str:
        if (grid.name, arm) not in self._arms:
            tags = {"reid.kind": "arm", "reid.arm": arm}
            run = self._find_or_create(grid, tags, {}, arm, grid.plan["created"])
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
        self._log(run_id, facts.arm_points(folders), {}, tags)
        times = [folder.read("state")["updated"] for folder in folders if folder.state() != "planned"]
        self._status(run_id, state, max(map(facts.milliseconds, times)))
        if run_id not in self._drawn and all(state in ENDED for state in states):
            with tempfile.TemporaryDirectory() as temporary:
                draw_arm(folders, arm, Path(temporary))
                self.store.client.log_artifacts(run_id, temporary)
            self._drawn.add(run_id)

    def _find_or_create(
        self, grid: Grid, tags: dict[str, str], more: dict[str, str], name: str, started: str | float
    ) -> "Run":
        experiment = self._experiment(grid)
        with self.store.lock:
            found = self.store.search(experiment, tags)
            if found:
                return found[0]
            return self.store.client.create_run(
                experiment,
                start_time=facts.milliseconds(started),
                tags={"mlflow.user": getuser(), **tags, **more},
                run_name=name,
            )


def copy_folder(folder: RunFolder, to: Path) -> None:
    """The small files of a run folder that a report reads."""
    to.mkdir()
    for name in KEPT:
        if (folder.path / name).exists():
            copyfile(folder.path / name, to / name)
