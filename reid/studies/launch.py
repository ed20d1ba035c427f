"""From a study file to an answer: search on validation identities, then compare once on the test set."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import optuna

from reid.data import BenchmarkDataset, TuningDataset, open_dataset
from reid.errors import InputError
from reid.execution.dispatch import STOP_AFTER, WATCHDOG_SECONDS, Dispatch
from reid.execution.executors.base import Executor
from reid.files import write_record
from reid.grids.launch import View
from reid.grids.orchestrator import Orchestrator
from reid.grids.status import GridStatus, RunStatusRow, open_status
from reid.store.lookup import find_kind
from reid.store.run_store import RunStore
from reid.store.stop_request import StopRequest
from reid.store.study import (
    ComparisonRecord,
    StudyRecord,
    TrialRecord,
    TrialState,
    read_comparison,
    read_study,
)
from reid.store.tracker import Tracker
from reid.studies.comparison import Comparison
from reid.studies.liveness import WorkerHeartbeat
from reid.studies.plots import draw_plots
from reid.studies.search import Search, SearchStatus
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan
from reid.studies.study_folder import write_importances, write_study, write_trials
from reid.studies.trials import Trials, release_dead
from reid.studies.validation_runs import SearchRuns
from reid.training import require_trainable


class StudyView(View, Protocol):
    """What a study shows itself on: its search, and its comparison as any launch of runs."""

    def search(self, status: SearchStatus, ended: TrialRecord | None) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a study stands: its trials by state, its best complete trial, and the comparison if there is one.

    `stopped` says that it is not over, `gave_up` why nothing more was tried, `elsewhere` that another process makes the
    comparison.
    """

    study: StudyRecord
    trials: Counter[TrialState]
    best: TrialRecord | None
    comparison: ComparisonRecord | None = None
    stopped: bool = False
    gave_up: str | None = None
    elsewhere: bool = False


@dataclass(frozen=True)
class Launch:
    """Where and on what a study runs; neither the executor nor the tracker is entered yet."""

    output: Path
    executor: Executor
    tracker: Tracker
    command: str
    skip_unreadable: bool = False
    storage: str | None = None
    watchdog: float = WATCHDOG_SECONDS
    stop_after: int = STOP_AFTER

    def dispatch(self, run_store: RunStore) -> Dispatch:
        return Dispatch(run_store, self.executor, self.watchdog, self.stop_after)


def tune(plan: StudyPlan, launch: Launch, view: StudyView) -> Outcome:
    """Search until all trials are over, then compare the winner with the defaults.

    Everything that can be refused is refused, as InputError, before a trial is made.
    """
    run_store, folder = RunStore.create(launch.output), study_folder(launch.output, plan)
    search = open_search(plan, run_store, launch.skip_unreadable, view)
    with Storage(launch.storage or plan.spec.storage, folder, view.warn) as storage:
        trials = Trials(plan, storage, search.data.fingerprint)
        asked = plan.record(search.record, storage.shown, launch.command)
        study = write_study(asked.model_copy(update={"identity": trials.identity}), storage)
        with launch.tracker as tracker, launch.executor:
            outcome = _search(study, trials, search, launch, view)
            if not outcome.stopped:
                storage.ride_out(lambda: draw_plots(trials.study, list(study.metrics), folder / "figures"))
                write_importances(study, trials.records(), folder)
            tracker.project(folder)
            if outcome.stopped or outcome.best is None:
                return outcome
            outcome = _compare(outcome, trials, search, launch, view)
            tracker.project(folder)
            return outcome


def study_folder(output: Path, plan: StudyPlan) -> Path:
    return output / "studies" / plan.spec.name


def _search(study: StudyRecord, trials: Trials, runs: SearchRuns, launch: Launch, view: StudyView) -> Outcome:
    dispatch = launch.dispatch(runs.run_store)
    search = Search(study, trials, runs, dispatch, launch.tracker, view.search)
    over = search.run()
    status = search.status
    return Outcome(study, status.counts(), study.best(status.trials), stopped=not over, gave_up=dispatch.gave_up)


def _compare(outcome: Outcome, trials: Trials, search: SearchRuns, launch: Launch, view: View) -> Outcome:
    """The comparison of the best trial: as it was made before, anywhere, or made now unless another process does."""
    assert outcome.best is not None, "compared where there is a winner"
    folder = trials.storage.folder
    if known := trials.compared(outcome.best):
        write_record(folder / "comparison.json", known)
        return replace(outcome, comparison=known)
    if not _wait_for_comparison(trials):
        return replace(outcome, elsewhere=True)
    comparison = open_comparison(trials.plan, outcome.best, search, launch.skip_unreadable, view)
    gave_up = _train(comparison, trials, launch, view)
    found = comparison.record(trials.looks() + 1) if comparison.is_over() else None
    if found is not None:
        write_record(folder / "comparison.json", found)
    trials.end_comparison(found)
    return replace(outcome, comparison=found, stopped=found is None, gave_up=gave_up)


def _wait_for_comparison(trials: Trials) -> bool:
    """Whether the comparison is this process's to make, once it is known whether another is at it."""
    while (mine := trials.claim_comparison()) is None:
        time.sleep(1)
    return mine


def _train(comparison: Comparison, trials: Trials, launch: Launch, view: View) -> str | None:
    """Train what the comparison needs, unless it is stopped before; returns why nothing more was tried, if so."""

    def show(status: GridStatus, run: RunStatusRow | None) -> None:
        trials.beat()
        view.show(status, run)

    status = open_status(comparison.plan, comparison.run_store, launch.executor.slots)
    dispatch, stop_request = launch.dispatch(comparison.run_store), StopRequest(trials.storage.folder)
    Orchestrator(comparison.plan, status, dispatch, launch.tracker.project, show, stop_request).run()
    return dispatch.gave_up


def open_search(plan: StudyPlan, run_store: RunStore, skip_unreadable: bool, view: View) -> SearchRuns:
    """The validation identities to search on, decoded."""
    source = plan.spec.dataset.model_copy(update={"split": plan.split})
    with view.preparing("drawing the data set") as progress:
        dataset = source.open(progress)
    assert isinstance(dataset, TuningDataset), "a source with a split has no test set"
    for note in dataset.notes:
        view.warn(note)
    require_trainable(plan.defaults, dataset)
    plan.spec.dataset.model_copy(update={"split": None}).open().require_evaluable()  # what the winner is compared on
    cache = run_store.output / "cache"
    with view.preparing("decoding validation and training identities") as progress:
        data = open_dataset(dataset, plan.defaults.image.size, cache, skip_unreadable, progress)
    require_trainable(plan.defaults, data.dataset)  # again: unreadable images may have been left out
    return SearchRuns(run_store, source, data)


def open_comparison(
    plan: StudyPlan, best: TrialRecord, search: SearchRuns, skip_unreadable: bool, view: View
) -> Comparison:
    """The whole data set, opened for the first time now that nothing can be chosen by it any more."""
    source = plan.spec.dataset.model_copy(update={"split": None})
    dataset = source.open()
    assert isinstance(dataset, BenchmarkDataset), "a source without a split has its test set"
    cache = search.run_store.output / "cache"
    with view.preparing("decoding the whole data set") as progress:
        data = open_dataset(dataset, plan.defaults.image.size, cache, skip_unreadable, progress)
    return Comparison(plan, best, source, data, search)


@dataclass(frozen=True)
class StudyStatus:
    """A study as its storage has it now."""

    study: StudyRecord
    trials: list[TrialRecord]
    comparison: ComparisonRecord | None


def status(output: Path, name: str, storage: str | None) -> StudyStatus:
    """A study's trials as they stand now, in the storage and then in its folder too, and the comparison.

    Trials of processes that ended are put back into the queue first.
    """
    folder = find_kind(output, "study", name)
    study = read_study(folder)
    with Storage(storage or study.storage, folder) as opened:
        try:
            in_optuna = optuna.load_study(study_name=name, storage=opened.backend)
        except KeyError:
            raise InputError(
                f"storage {opened.shown}: holds no study {name!r}; give the --storage it was searched with"
            ) from None
        with opened.lock():
            release_dead(in_optuna, opened, WorkerHeartbeat(in_optuna))
        trials = write_trials(in_optuna, study.knobs, opened)
    return StudyStatus(study, trials, read_comparison(folder))
