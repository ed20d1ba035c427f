"""From a study file to an answer: search on validation identities, then compare once on the test set."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import optuna

from reid.data import BenchmarkDataset, TuningDataset, open_dataset
from reid.execution.dispatch import Dispatch
from reid.execution.executors.base import Executor
from reid.files import write_json
from reid.grids.launch import View
from reid.grids.orchestrator import Orchestrator
from reid.grids.status import GridStatus, RunStatusRow, open_status
from reid.store.lookup import find_kind
from reid.store.run_store import RunStore
from reid.store.stop_request import StopRequest
from reid.store.tracker import Tracker
from reid.studies.comparison import Comparison, best_of
from reid.studies.knobs import StudyKnob
from reid.studies.liveness import Presence
from reid.studies.plots import draw_plots
from reid.studies.progress import SearchBoard
from reid.studies.search import Tuner
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan
from reid.studies.study_folder import write_importances, write_study, write_trials
from reid.studies.trials import Trials, release_dead
from reid.studies.validation_runs import SearchRuns
from reid.training import require_trainable


class StudyView(View, Protocol):
    """What a study shows itself on: its search, and its comparison as any launch of runs."""

    def search(self, board: SearchBoard, ended: dict[str, Any] | None) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a study stands: its trials by state, its best complete trial, and the comparison if there is one.

    `stopped` says that it is not over, `gave_up` why nothing more was tried, `elsewhere` that another process makes the
    comparison.
    """

    name: str
    trials: Counter[str]
    best: dict[str, Any] | None
    comparison: dict[str, Any] | None = None
    stopped: bool = False
    gave_up: str | None = None
    elsewhere: bool = False


@dataclass(frozen=True)
class Launch:
    """Where and on what a study runs; the executor is not entered yet. `tracker_of` makes the tracker of its folder."""

    output: Path
    executor: Executor
    skip_unreadable: bool
    tracker_of: Callable[[Path], Tracker]
    storage: str | None
    command: str


def tune(file: Path, launch: Launch, view: StudyView) -> Outcome:
    """Search until all trials are over, then compare the winner with the defaults.

    Everything that can be refused is refused, as InputError, before a trial is made.
    """
    plan, run_store = StudyPlan(file), RunStore.create(launch.output)
    folder = launch.output / "studies" / plan.spec.name
    search = open_search(plan, run_store, launch, view)
    with Storage(launch.storage or plan.spec.storage, folder) as storage:
        trials = Trials(plan, storage, search.data.fingerprint)
        write_study(plan, storage, folder, search.record.model_dump(mode="json"), launch.command)
        tracker = launch.tracker_of(folder)
        with tracker, launch.executor as executor:
            dispatch = Dispatch(run_store, executor)
            tuner = Tuner(plan, trials, search, dispatch, folder, tracker.project, view.search)
            over, records = tuner.run(), tuner.board.records
            best, counts = best_of(plan, records), Counter(record["state"] for record in records)
            outcome = Outcome(plan.spec.name, counts, best, stopped=not over, gave_up=dispatch.gave_up)
            if over:
                draw_plots(trials.study, list(plan.spec.objectives), folder / "figures")
                write_importances(plan, records, folder)
            tracker.project(folder)
            if not over or best is None:
                return outcome
            known = trials.compared(best)
            if known is None and not _wait_for_comparison(trials):
                return replace(outcome, elsewhere=True)
            if known is None:
                comparison = open_comparison(plan, best, search, launch, view)
                known = _compare(comparison, trials, executor, folder, tracker.project, view)
            else:
                write_json(folder / "comparison.json", known)
            tracker.project(folder)
            return replace(outcome, comparison=known, stopped=known is None)


def _wait_for_comparison(trials: Trials) -> bool:
    """Whether the comparison is this process's to make, once it is known whether another is at it."""
    while (mine := trials.claim_comparison()) is None:
        time.sleep(1)
    return mine


def _compare(
    comparison: Comparison,
    trials: Trials,
    executor: Executor,
    folder: Path,
    changed: Callable[[Path], None],
    view: View,
) -> dict[str, Any] | None:
    """Train what the comparison needs; None where it was stopped before all was trained."""

    def show(status: GridStatus, run: RunStatusRow | None) -> None:
        trials.presence.beat()
        view.show(status, run)

    status = open_status(comparison.plan, comparison.run_store, executor.slots)
    dispatch = Dispatch(comparison.run_store, executor)
    Orchestrator(comparison.plan, status, dispatch, changed, show, StopRequest(folder)).run()
    found = comparison.write(folder) if comparison.is_over() else None
    trials.end_comparison(found)
    return found


def open_search(plan: StudyPlan, run_store: RunStore, launch: Launch, view: View) -> SearchRuns:
    """The validation identities to search on, decoded."""
    source = plan.spec.dataset.model_copy(update={"split": plan.split})
    with view.preparing("drawing the data set") as progress:
        dataset = source.open(progress)
    assert isinstance(dataset, TuningDataset), "a source with a split has no test set"
    for note in dataset.notes:
        view.warn(note)
    require_trainable(plan.defaults, dataset)
    with view.preparing("decoding validation and training identities") as progress:
        data = open_dataset(
            dataset, plan.defaults.image.size, launch.output / "cache", launch.skip_unreadable, progress
        )
    require_trainable(plan.defaults, data.dataset)  # again: unreadable images may have been left out
    return SearchRuns(run_store, source, data)


def open_comparison(
    plan: StudyPlan, best: dict[str, Any], search: SearchRuns, launch: Launch, view: View
) -> Comparison:
    """The whole data set, opened for the first time now that nothing can be chosen by it any more."""
    source = plan.spec.dataset.model_copy(update={"split": None})
    dataset = source.open()
    assert isinstance(dataset, BenchmarkDataset), "a source without a split has its test set"
    with view.preparing("decoding the whole data set") as progress:
        data = open_dataset(
            dataset, plan.defaults.image.size, launch.output / "cache", launch.skip_unreadable, progress
        )
    return Comparison(plan, best, search.run_store, source, data, search)


def read_record(folder: Path) -> dict[str, Any]:
    """The study.json of a study's folder."""
    record: dict[str, Any] = json.loads((folder / "study.json").read_text())
    return record


def status(
    output: Path, name: str, storage: str | None
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any] | None]:
    """study.json, the trials as they stand in the storage now, and the comparison if there is one.

    Trials of processes that ended are put back into the queue first.
    """
    folder = find_kind(output, "study", name)
    record, compared = read_record(folder), folder / "comparison.json"
    with Storage(storage or record["storage"], folder) as opened:
        study = optuna.load_study(study_name=name, storage=opened.backend)
        with opened.lock():
            release_dead(study, opened, Presence(study))
        trials = write_trials(study, [StudyKnob.of(knob) for knob in record["knobs"]], opened, folder)
    return record, trials, json.loads(compared.read_text()) if compared.is_file() else None
