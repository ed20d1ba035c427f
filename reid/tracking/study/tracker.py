"""Project studies into MLflow: an experiment a study, its parent run, a child a trial, a grandchild a seed of it."""

from pathlib import Path
from statistics import fmean

from reid.files import DamagedFileError
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.study import ComparisonRecord, TrialRecord, TrialRun, TrialState
from reid.tracking import keys
from reid.tracking.mlflow_store import Store, tracking_errors
from reid.tracking.payload import Params, Point, milliseconds, training_params
from reid.tracking.study import payload as facts
from reid.tracking.study.payload import STATUS, StudyFolder, open_study, sides
from reid.tracking.study.views import study_view_tags
from reid.tracking.writer import Writer

FILES = ("study.json", "trials.json", "comparison.json", "importances.json", "report.pdf")


class StudyTracker:
    """One per process, called from one thread. Every method may raise TrackingError, and be called again."""

    def __init__(self, uri: str | None, output: Path, folder: Path) -> None:
        self.store = Store(uri, output)
        self.output, self.folder = output, folder
        self.notices: list[str] = []
        self._writer = Writer(self.store)
        self._ids: dict[tuple[str, ...], str] = {}
        self._written: dict[int, tuple[TrialRecord, bool]] = {}  # by number, and whether it was the best

    def open(self) -> str:
        """Id of the study's experiment, made or brought up to date, with its parent run in it."""
        study = open_study(self.folder)
        with tracking_errors(self.store.uri):
            self._parent(study)
            return self._experiment(study)

    def project(self, folder: Path) -> None:
        """Make MLflow say what the study's folder, or the folder of one of its runs, says now. Idempotent."""
        study = open_study(self.folder)
        with tracking_errors(self.store.uri):
            if folder == self.folder:
                self._write_study(study)
                return
            for trial in study.trials:
                if any(run.signature == folder.name for run in trial.runs):
                    self._write_trial(study, trial)

    def close(self) -> None:
        """Nothing is buffered. Forget what was cached."""
        self._ids.clear()
        self._written.clear()
        self._writer.forget()

    def _experiment(self, study: StudyFolder) -> str:
        key = ("experiment",)
        if key not in self._ids:
            tags = {
                "mlflow.note.content": facts.study_note(study, keys.LONGEST_EXPERIMENT_TAG),
                "mlflow.experimentKind": "custom_model_development",
                "mlflow.experiment.primaryMetric.name": f"final/{study.record.metrics[0]}",
                "reid.dataset": study.record.dataset.name,
                **study_view_tags(study),
            }
            # A study is shared by output folders: not theirs, but its own.
            found = self.store.experiment(study.experiment, study.record.identity, tags)
            if found.name != study.experiment:
                self.notices.append(f"study {study.record.name} is shown in the experiment {found.name!r}")
            self._ids[key] = str(found.experiment_id)
        return self._ids[key]

    def _run(
        self,
        study: StudyFolder,
        tags: dict[str, str],
        parent: str | None,
        name: str,
        started: str | float,
        params: Params,
    ) -> str:
        """Id of the run that has these tags and parameters, made under its parent if there is none."""
        key = tuple(tags.values())
        if key not in self._ids:
            more = {} if parent is None else {"mlflow.parentRunId": parent}
            run = self._writer.find_or_create(self._experiment(study), tags, more, name, started, params)
            self._ids[key] = run.info.run_id
        return self._ids[key]

    def _parent(self, study: StudyFolder) -> str:
        if ("study",) not in self._ids:
            params = facts.study_params(study)
            run_id = self._run(study, {"reid.kind": "study"}, None, study.record.name, study.record.created, params)
            self.store.client.log_text(run_id, study.record.yaml, facts.YAML)
        return self._ids["study",]

    def _write_study(self, study: StudyFolder) -> None:
        parent = self._parent(study)
        for trial in study.trials:
            self._write_trial(study, trial)
        if study.comparison is not None:
            self._write_comparison(study, study.comparison, parent)
        state = study.state()
        self._writer.log(parent, facts.study_points(study), facts.study_params(study), facts.study_tags(study))
        if state == TrialState.COMPLETE:
            for file in (study.path / name for name in FILES):
                if file.is_file():
                    self.store.client.log_artifact(parent, str(file))
            if (study.path / "figures").is_dir():
                self.store.client.log_artifacts(parent, str(study.path / "figures"), "figures")
        ends = [milliseconds(trial.ended) for trial in study.trials if trial.ended]
        self._writer.end(parent, STATUS[state], max(ends, default=0))

    def _write_trial(self, study: StudyFolder, trial: TrialRecord) -> None:
        number, started = trial.number, trial.started or study.record.created
        version = (trial, number == study.best)
        if trial.state.is_over and self._written.get(number) == version:
            return
        tags = {"reid.kind": "trial", "reid.trial": str(number)}
        params: Params = dict(trial.params)
        child = self._run(study, tags, self._parent(study), f"trial {number}", started, params)
        self._writer.log(child, facts.trial_points(study, trial), params, facts.trial_tags(study, trial))
        for run in trial.runs:
            self._write_run(study, run, child, f"trial {number} s{run.seed}", str(number))
        self._writer.end(child, STATUS[trial.state], milliseconds(trial.ended) if trial.ended else 0)
        self._written[number] = version

    def _write_comparison(self, study: StudyFolder, comparison: ComparisonRecord, parent: str) -> None:
        time = comparison.created
        for side in sides(comparison):
            tags = {"reid.kind": "comparison", "reid.trial": side.key}
            params: Params = dict(side.params)
            child = self._run(study, tags, parent, side.title, time, params)
            values = [value for value in side.compared.values if value is not None]
            points = [Point(f"final/{comparison.metric}", fmean(values), milliseconds(time))] if values else []
            self._writer.log(child, points, params, {"reid.state": "complete"})
            for run in side.compared.runs:
                self._write_run(study, run, child, f"{side.title} s{run.seed}", side.key)
            self._writer.end(child, "FINISHED", milliseconds(time))

    def _write_run(self, study: StudyFolder, run: TrialRun, child: str, name: str, trial: str) -> None:
        folder = RunFolder(self.output / "runs" / run.signature)
        state = folder.read_state()
        if state.state == RunState.PLANNED:
            return  # in another output folder, or not begun
        tags = {"reid.kind": "run", "reid.trial": trial, "reid.signature": run.signature}
        started = state.started or state.updated or 0.0  # lost before it had begun, in a queue
        try:
            params = training_params(folder.require_run())
            run_id = self._run(study, tags, child, name, started, params)
            if (found := self.store.run(run_id)) is not None:
                self._writer.write_run(found, folder, name, facts.run_tags(study, folder, name), params)
        except DamagedFileError as error:
            run_id = self._run(study, tags, child, name, started, {})
            if (found := self.store.run(run_id)) is not None:
                self._writer.write_unreadable(found, error)


def study_tracker(uri: str | None, output: Path, folder: Path) -> StudyTracker:
    """The projection of a study, opened."""
    tracker = StudyTracker(uri, output, folder)
    tracker.open()
    return tracker


def sync_study(uri: str | None, output: Path, folder: Path, notices: list[str]) -> int:
    """Project a study from its folders; returns the number of its runs that have begun."""
    tracker = study_tracker(uri, output, folder)
    notices += tracker.notices
    tracker.project(folder)
    study = open_study(folder)
    runs = [run for trial in study.trials for run in trial.runs]
    if study.comparison is not None:
        runs += [run for side in sides(study.comparison) for run in side.compared.runs]
    states = [RunFolder(output / "runs" / name).read_state().state for name in {run.signature for run in runs}]
    return sum(state != RunState.PLANNED for state in states)
