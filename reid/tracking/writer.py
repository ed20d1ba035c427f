"""Writes runs into one MLflow store: made once, logged without repetition, ended with a true status."""

import tempfile
from getpass import getuser
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

import reid
from reid.files import DamagedFileError
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.tracking.figures import draw_figures
from reid.tracking.mlflow_store import Store
from reid.tracking.payload import Params, Point, milliseconds, run_points

if TYPE_CHECKING:
    from mlflow.entities import Run

# A diverged run is FINISHED for MLflow: divergence is a result that reports count, and MLflow's FAILED is left for runs
# that have none and can be tried again. The tag reid.state, a column of the leaderboard, tells the two apart.
STATUS = {
    RunState.PLANNED: "SCHEDULED",
    RunState.RUNNING: "RUNNING",
    RunState.FINISHED: "FINISHED",
    RunState.DIVERGED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.UNREADABLE: "FAILED",
    RunState.STOPPED: "KILLED",
}
# What a report needs of a run besides its curves, and where it lies among the run's artifacts.
FOLDER = "folder"
KEPT = (
    "run.json", "state.json", "result.json", "evaluations.json", "query_ap.npy", "query_identities.npy",
    "ranklists.json", "embeddings.npz",
)  # fmt: skip


class Writer:
    """Called from one thread. Its methods raise what the store raises, and may be called again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._sent: dict[str, set[Point]] = {}

    def forget(self) -> None:
        """Nothing is buffered; forget what was sent."""
        self._sent.clear()

    def find_or_create(
        self, experiment: str, tags: dict[str, str], more: dict[str, str], name: str, started: str | float
    ) -> "Run":
        """The run of an experiment that has these tags, made with `more` tags if there is none."""
        with self.store.lock:
            found = self.store.search(experiment, tags)
            if found:
                return found[0]
            return self.store.client.create_run(
                experiment,
                start_time=milliseconds(started),
                tags={"mlflow.user": getuser(), **tags, **more},
                run_name=name,
            )

    def log(self, run_id: str, points: list[Point], params: Params, tags: dict[str, str]) -> None:
        """Log what this process has not sent yet."""
        from mlflow.entities import Metric

        sent = self._sent.setdefault(run_id, set())
        new = [point for point in points if point not in sent]
        self.store.log(run_id, [Metric(p.key, p.value, p.time, p.step) for p in new], params, tags)
        sent.update(new)

    def end(self, run_id: str, status: str, end: int) -> None:
        """Set a run's status, with the time of its end in milliseconds where it has ended."""
        if status in ("RUNNING", "SCHEDULED"):
            self.store.client.update_run(run_id, status=status)
        else:
            self.store.client.set_terminated(run_id, status, end)

    def write_run(self, run: "Run", folder: RunFolder, title: str, tags: dict[str, str], params: Params) -> None:
        """Make the MLflow run of a training say what its folder says."""
        record, run_id = folder.read_state(), run.info.run_id
        state, updated = record.state, record.updated or 0.0
        # The tag is the last thing written after the end: a run that has it is whole and needs no second look.
        version = f"{state} {updated} reid {reid.__version__}"
        if run.data.tags.get("reid.projected") == version:
            return
        if run_id not in self._sent:
            self.store.client.log_artifact(run_id, str(folder.path / "run.json"), FOLDER)
        self.log(run_id, run_points(folder), params, tags)
        if state != RunState.RUNNING:
            self._add_files(run_id, folder, title)
        self.end(run_id, STATUS[state], milliseconds(updated))
        if state != RunState.RUNNING:
            self.store.client.set_tag(run_id, "reid.projected", version)
            self._sent.pop(run_id, None)

    def write_unreadable(self, run: "Run", error: DamagedFileError) -> None:
        """Make the MLflow run of a training say that its folder is damaged; what it showed before stays."""
        tags = {"reid.state": RunState.UNREADABLE.value, "mlflow.note.content": str(error)}
        self.store.log(run.info.run_id, [], {}, tags)
        self.end(run.info.run_id, STATUS[RunState.UNREADABLE], run.info.end_time or run.info.start_time)

    def _add_files(self, run_id: str, folder: RunFolder, title: str) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            draw_figures(folder, title, Path(temporary))
            copy_folder(folder, Path(temporary) / FOLDER)
            self.store.client.log_artifacts(run_id, temporary)
        for path in (folder.path / "curves.parquet", folder.log):
            if path.exists():
                self.store.client.log_artifact(run_id, str(path))


def copy_folder(folder: RunFolder, to: Path) -> None:
    """The small files of a run folder that a report reads."""
    to.mkdir()
    for name in KEPT:
        if (folder.path / name).exists():
            copyfile(folder.path / name, to / name)
