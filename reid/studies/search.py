"""Searches: takes trials, has their runs trained, and ends each with what came of them."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from optuna.trial import Trial
from pydantic import ValidationError

from reid.errors import InputError
from reid.execution.events import Ended, Progressed, Retrying, RunEvent
from reid.execution.interrupts import Interrupts
from reid.recipe import Recipe
from reid.recipe.yaml import describe
from reid.store.run_records import ProgressRecord, RunState
from reid.store.stop_request import StopRequest
from reid.store.study import StudyRecord, TrialRecord, TrialState
from reid.store.tracker import Tracker
from reid.studies.search_space import values_of
from reid.studies.study_folder import write_trials
from reid.studies.trial_in_progress import TrialInProgress
from reid.studies.trials import TrialOutcome, Trials
from reid.studies.validation_runs import SearchRuns, ValidationRun
from reid.training import require_trainable

LOOK_SECONDS = 2.0  # between looks at what other processes did


@dataclass
class SearchStatus:
    """What a view shows of a search: all its trials, and how far the runs of this process are."""

    study: StudyRecord
    slots: int
    trials: list[TrialRecord] = field(default_factory=list)
    progress: dict[str, ProgressRecord] = field(default_factory=dict)  # by signature
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def counts(self) -> Counter[TrialState]:
        """Trials by state."""
        return Counter(trial.state for trial in self.trials)

    def over(self) -> int:
        """Trials that are over."""
        return sum(trial.state.is_over for trial in self.trials)

    def remaining_seconds(self) -> float | None:
        """Mean time of the trials that are over, times what is left, over the slots; None before one is."""
        taken = [trial.seconds for trial in self.trials if trial.seconds]
        return sum(taken) / len(taken) * (self.study.trials - self.over()) / self.slots if taken else None


ShowSearch = Callable[[SearchStatus, TrialRecord | None], None]  # with the trial that ended, if one did


class Trainer(Protocol):
    """Who trains runs: reid.execution.dispatch.Dispatch."""

    stopping: bool

    def free(self) -> int: ...

    def idle(self) -> bool: ...

    def submit(self, signature: str) -> None: ...

    def stop_run(self, signature: str) -> None: ...

    def stop(self) -> None: ...

    def advance(self, timeout: float) -> Iterable[RunEvent]: ...


class Search:
    """One process's part in a search. A trial has one run in training at a time: its seeds come one after another."""

    def __init__(
        self,
        study: StudyRecord,
        trials: Trials,
        runs: SearchRuns,
        trainer: Trainer,
        tracker: Tracker,
        show: ShowSearch,
    ) -> None:
        self.trials, self.runs, self.trainer, self.tracker, self.show = trials, runs, trainer, tracker, show
        self.folder = trials.storage.folder
        self.status = SearchStatus(study, max(1, trainer.free()))
        self.waiting: dict[str, list[TrialInProgress]] = {}  # by the signature of the run they wait for
        self.looked = float("-inf")
        self.stop_request = StopRequest(self.folder)

    def run(self) -> bool:
        """Search until all trials are over; returns False where it was stopped before.

        The first Ctrl-C, SIGTERM or a file `stop` in the study's folder lets every run finish its epoch; a second ends
        them at once. Trials that are not over go back to the queue, and the same command goes on with them.
        """
        with Interrupts() as interrupts:
            self.trials.storage.interrupted = lambda: interrupts.count > 1
            try:
                while interrupts.count < 2 and not (self.trainer.stopping and self.trainer.idle()):
                    if (interrupts.count or self.stop_request.is_new()) and not self.trainer.stopping:
                        self.status.notices.append("stopping after the epoch in flight; Ctrl-C again ends at once")
                        self.trainer.stop()
                    if self._advance():
                        return True
            finally:
                for trial in [trial for trials in self.waiting.values() for trial in trials]:
                    self.trials.release(trial.trial)
                self._look()
        return False

    def _advance(self) -> bool:
        """One round; returns whether the search is over."""
        self.trials.beat()
        if time.monotonic() - self.looked >= LOOK_SECONDS:
            if self._look():
                return True
            while not self.trainer.stopping and self.trainer.free() > 0 and (trial := self.trials.claim()) is not None:
                self._begin(trial)
        for event in self.trainer.advance(0.25):
            self._take(event)
        self.show(self.status, None)
        return False

    def _look(self) -> bool:
        """Bring the status and trials.json up to date; returns whether all trials are over."""
        self.looked = time.monotonic()
        self.status.trials = write_trials(self.trials.study, self.trials.plan.knobs, self.trials.storage)
        return self.trials.count_over() >= self.status.study.trials

    def _begin(self, trial: Trial) -> None:
        plan = self.trials.plan
        try:
            recipe = plan.recipe(values_of(trial.params, plan.knobs))
            require_trainable(recipe, self.runs.data.dataset)
        except (ValidationError, InputError) as error:
            reason = describe(error, Recipe) if isinstance(error, ValidationError) else str(error)
            self._end(trial, TrialOutcome(TrialState.PRUNED, reason=f"no recipe has these values: {reason}"))
            return
        self._go_on(TrialInProgress(trial, recipe, self.trials, self.runs))

    def _go_on(self, trial: TrialInProgress) -> None:
        """Have the trial's next run trained, or end the trial."""
        match trial.next_run():
            case TrialOutcome() as outcome:
                self._end(trial.trial, outcome, trial.seconds)
            case ValidationRun(signature=signature):
                waiting = self.waiting.setdefault(signature, [])
                waiting.append(trial)
                if len(waiting) == 1:
                    self.trainer.submit(signature)

    def _take(self, event: RunEvent) -> None:
        match event:
            case Progressed():
                self.status.progress[event.signature] = event.progress
                if not event.evaluated:
                    return
                self._evaluated(event.signature, event.progress.epoch)
            case Retrying():
                self.status.notices.append(f"run {event.signature}: {event.reason}")
            case Ended():
                self.status.progress.pop(event.signature, None)
                self._run_ended(event.signature, event.state)
        self.tracker.project(self.runs.run_store.folder(event.signature).path)

    def _evaluated(self, signature: str, epoch: int) -> None:
        """Stop a run that every trial which waits for it has given up."""
        waiting = self.waiting.get(signature, [])
        for trial in waiting:
            trial.add_evaluation(epoch)
        if waiting and all(trial.given_up for trial in waiting):
            self.trainer.stop_run(signature)

    def _run_ended(self, signature: str, state: RunState) -> None:
        self.looked = float("-inf")  # a slot is free
        early_stopped = self.runs.run_store.folder(signature).read_state().early_stopped
        if state == RunState.STOPPED and self.trainer.stopping and not early_stopped:
            return  # its trials are released at the end
        for trial in self.waiting.pop(signature, []):
            if state.has_result:
                self._go_on(trial)
            else:
                self._end(trial.trial, trial.end_without_result(state), trial.seconds)

    def _end(self, trial: Trial, outcome: TrialOutcome, seconds: float | None = None) -> None:
        if not self.trials.end(trial, outcome, seconds):
            self.status.notices.append(f"trial {trial.number}: another process has taken it over")
            return
        self._look()
        self.looked = float("-inf")
        self.tracker.project(self.folder)
        self.show(self.status, next(record for record in self.status.trials if record.number == trial.number))
