"""Writes runs into one MLflow store: made once, logged without repetition, ended with a true status."""

import os
import tempfile
from getpass import getuser
from math import isclose, isnan, nan
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

import reid
from reid.files import DamagedFileError
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.tracking import keys
from reid.tracking.figures import draw_figures
from reid.tracking.mlflow_store import Store, told_params
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
RETIRED = "retired"
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
        self,
        experiment: str,
        tags: dict[str, str],
        more: dict[str, str],
        name: str,
        started: str | float,
        params: Params | None = None,
    ) -> "Run":
        """The run of an experiment that has these tags and no other values of `params`; made with `more` if need be.

        MLflow changes no parameter, so a run that has other values shows something else, and is retired.
        """
        with self.store.lock:
            others = []
            for found in sorted(self.store.search(experiment, tags), key=is_retired):
                if agrees(found, params or {}):
                    return found
                others.append(found)
            for other in others:
                self.retire(other, "its parameters have changed")
            return self.store.client.create_run(
                experiment,
                start_time=milliseconds(started),
                tags={"mlflow.user": user(), **tags, **more},
                run_name=name,
            )

    def retire(self, run: "Run", reason: str) -> None:
        """Say that a run is not shown any more, and why. Its kind changes: views and searches are by kind."""
        if is_retired(run):
            return
        kind, old = run.data.tags.get("reid.kind", "run"), run.data.tags.get("mlflow.note.content", "")
        if run.info.status in ("RUNNING", "SCHEDULED"):
            self.store.client.set_terminated(run.info.run_id, "KILLED")
        self.store.client.update_run(run.info.run_id, name=f"{run.info.run_name} ({RETIRED})")
        note = f"**Retired**: {reason}.\n\n{old}"
        tags = {"mlflow.note.content": note, "mlflow.runColor": "#D0D0D0", "reid.projected": ""}
        self.store.log(run.info.run_id, [], {}, {**tags, "reid.kind": f"{RETIRED} {kind}"})

    def log(self, run_id: str, points: list[Point], params: Params, tags: dict[str, str]) -> None:
        """Log what this process has not sent yet."""
        from mlflow.entities import Metric

        sent = self._sent.setdefault(run_id, set())
        new = [point for point in points if point not in sent]
        metrics = [Metric(keys.key(point.key), point.value, point.time, point.step) for point in new]
        self.store.log(run_id, metrics, params, tags)
        sent.update(new)

    def write_means(self, run_id: str, points: list[Point], tags: dict[str, str]) -> None:
        """Make the metrics of an arm these points, and no others: a mean over seeds that are gone is not one any more.

        MLflow deletes no metric; it shows the last by time, and one that is not defined as NaN.
        """
        from mlflow.entities import Metric

        shown = self.store.client.get_run(run_id).data.metrics
        wanted = {keys.key(point.key): point for point in points}
        new = {key: point for key, point in wanted.items() if not isclose(shown.get(key, nan), point.value)}
        gone = [key for key, value in shown.items() if key not in wanted and not isnan(value)]
        last = 0
        if changed := [*gone, *(key for key in new if key in shown)]:
            last = max(point.timestamp for point in self.store.client.get_metric_history(run_id, changed[0]))
        metrics = [Metric(key, point.value, max(point.time, last + 1), 0) for key, point in new.items()]
        metrics += [Metric(key, nan, last + 1, 0) for key in gone]
        self.store.log(run_id, metrics, {}, tags)

    def end(self, run_id: str, status: str, end: int) -> None:
        """Set a run's status, with the time of its end in milliseconds where it has ended."""
        if status in ("RUNNING", "SCHEDULED"):
            self.store.client.update_run(run_id, status=status)
        else:
            self.store.client.set_terminated(run_id, status, end)

    def name(self, run: "Run", name: str) -> None:
        """Give a run its name, if it has another."""
        if run.info.run_name != name:
            self.store.client.update_run(run.info.run_id, name=name)

    def write_run(
        self, run: "Run", folder: RunFolder, title: str, tags: dict[str, str], params: Params, plan: str = ""
    ) -> None:
        """Make the MLflow run of a training say what its folder, and that version of its `plan`, say."""
        record, run_id = folder.read_state(), run.info.run_id
        state, updated = record.state, record.updated or 0.0
        # The tag is the last thing written after the end: a run that has it is whole and needs no second look.
        version = " ".join(filter(None, (state, str(updated), "reid", reid.__version__, plan)))
        if run.data.tags.get("reid.projected") == version:
            return
        self.name(run, title)
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


def is_retired(run: "Run") -> bool:
    return str(run.data.tags.get("reid.kind", "")).startswith(RETIRED)


def agrees(run: "Run", params: Params) -> bool:
    """Whether a run has no other value of these parameters."""
    return all(run.data.params.get(key, value) == value for key, value in told_params(params).items())


def user() -> str:
    """Who this is: a name, or the number where it has none, as in many containers."""
    try:
        return getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def copy_folder(folder: RunFolder, to: Path) -> None:
    """The small files of a run folder that a report reads."""
    to.mkdir()
    for name in KEPT:
        if (folder.path / name).exists():
            copyfile(folder.path / name, to / name)
