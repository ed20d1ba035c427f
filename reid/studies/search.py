"""Searches: takes trials, has their runs trained, and ends each with what came of them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from optuna.trial import Trial, TrialState
from pydantic import ValidationError

from reid.errors import InputError
from reid.execution.events import Ended, Progressed, Retrying, RunEvent
from reid.execution.interrupts import Interrupts
from reid.recipe import Recipe
from reid.recipe.yaml import describe
from reid.store.claim import claim
from reid.store.run_records import RunState
from reid.store.run_store import set_state
from reid.store.stop_request import StopRequest
from reid.studies.progress import SearchBoard
from reid.studies.search_space import values_of
from reid.studies.study_file import EVALUATED, OF_EPOCHS, StudyPlan
from reid.studies.study_folder import write_trials
from reid.studies.trials import Trials
from reid.studies.validation_runs import SearchRuns, ValidationRun, evaluations, mean_scores, score, spent_seconds
from reid.training import require_trainable

LOOK_SECONDS = 2.0  # between looks at what other processes did


class Trainer(Protocol):
    """Who trains runs: reid.execution.dispatch.Dispatch."""

    stopping: bool

    def free(self) -> int: ...

    def idle(self) -> bool: ...

    def submit(self, signature: str) -> None: ...

    def stop_run(self, signature: str) -> None: ...

    def stop(self) -> None: ...

    def advance(self, timeout: float) -> Iterable[RunEvent]: ...


@dataclass
class Flight:
    """A trial at work: its recipe, its runs so far and what each scored, and the run it waits for."""

    trial: Trial
    recipe: Recipe
    runs: list[dict[str, Any]] = field(default_factory=list)
    scores: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0
    run: ValidationRun | None = None
    given_up: str | None = None


class Tuner:
    """One process's part in a search. A trial has one run in training at a time: its seeds come one after another.

    `changed` is called with the folder of a run or of the study to project, `show` with the board and, where a trial
    ended, its record.
    """

    def __init__(
        self,
        plan: StudyPlan,
        trials: Trials,
        runs: SearchRuns,
        trainer: Trainer,
        folder: Path,
        changed: Callable[[Path], None],
        show: Callable[[SearchBoard, dict[str, Any] | None], None],
    ) -> None:
        self.plan, self.trials, self.runs, self.trainer = plan, trials, runs, trainer
        self.folder, self.changed, self.show = folder, changed, show
        self.board = SearchBoard(plan, max(1, trainer.free()))
        self.flights: dict[str, list[Flight]] = {}  # by the signature of the run they wait for
        self.looked = float("-inf")
        self.stop_request = StopRequest(folder)

    def run(self) -> bool:
        """Search until all trials are over; returns False where it was stopped before.

        The first Ctrl-C, SIGTERM or a file `stop` in the study's folder lets every run finish its epoch; a second ends
        them at once. Trials that are not over go back to the queue, and the same command goes on with them.
        """
        with Interrupts() as interrupts:
            try:
                while interrupts.count < 2 and not (self.trainer.stopping and self.trainer.idle()):
                    if (interrupts.count or self.stop_request.is_new()) and not self.trainer.stopping:
                        self.board.notices.append("stopping after the epoch in flight; Ctrl-C again ends at once")
                        self.trainer.stop()
                    if self._advance():
                        return True
            finally:
                for flight in [flight for flights in self.flights.values() for flight in flights]:
                    self.trials.release(flight.trial)
                self._look()
        return False

    def _advance(self) -> bool:
        """One round; returns whether the search is over."""
        self.trials.presence.beat()
        if time.monotonic() - self.looked >= LOOK_SECONDS:
            if self._look():
                return True
            while not self.trainer.stopping and self.trainer.free() > 0 and (trial := self.trials.claim()) is not None:
                self._begin(trial)
        for event in self.trainer.advance(0.25):
            self._take(event)
        self.show(self.board, None)
        return False

    def _look(self) -> bool:
        """Bring the board and trials.json up to date; returns whether all trials are over."""
        self.looked = time.monotonic()
        self.board.records = write_trials(self.trials.study, self.plan.knobs, self.trials.storage, self.folder)
        return self.trials.count_over() >= self.plan.spec.trials

    def _begin(self, trial: Trial) -> None:
        try:
            recipe = self.plan.recipe(values_of(trial.params, self.plan.knobs))
            require_trainable(recipe, self.runs.data.dataset)
        except (ValidationError, InputError) as error:
            reason = describe(error, Recipe) if isinstance(error, ValidationError) else str(error)
            self._end(trial, TrialState.PRUNED, None, f"no recipe has these values: {reason}")
            return
        self._go_on(Flight(trial, recipe))

    def _go_on(self, flight: Flight) -> None:
        """Take what is known of the trial's runs, seed after seed, and have the first unknown one trained."""
        flight.given_up = None
        for seed in self.plan.spec.seeds[len(flight.scores) :]:
            training = self.runs.training(flight.recipe, seed) if self.plan.evaluates_only else None
            if training is not None and not training.folder.read_state().state.has_result:
                self._train(flight, training)
                return
            run = self.runs.enter(flight.recipe, seed, training)
            entry = {"seed": seed, "signature": run.signature}
            if entry not in flight.runs:
                flight.runs.append(entry)
                flight.trial.set_user_attr("runs", flight.runs)
            if not run.folder.read_state().state.has_result:
                self._train(flight, run)
                return
            if not self._count(flight, run):
                return
        self._end_flight(flight, TrialState.COMPLETE, mean_scores(flight.scores))

    def _train(self, flight: Flight, run: ValidationRun) -> None:
        flight.run = run
        if self.plan.spec.pruner not in OF_EPOCHS:
            self._lift(run)
        waiting = self.flights.setdefault(run.signature, [])
        waiting.append(flight)
        if len(waiting) == 1:
            self.trainer.submit(run.signature)

    def _count(self, flight: Flight, run: ValidationRun) -> bool:
        """Add the result of a run; returns False where it ended the trial."""
        flight.seconds += spent_seconds(run)
        if run.folder.read_state().state == RunState.DIVERGED:
            self._end_flight(flight, TrialState.PRUNED, None, f"seed {run.seed} diverged: {_reason(run)}")
            return False
        found = [score(run, metric) for metric in self.plan.spec.objectives]
        known = [value for value in found if value is not None]
        if len(known) < len(found):
            missing = self.plan.spec.objectives[found.index(None)]
            self._end_flight(flight, TrialState.PRUNED, None, f"seed {run.seed} has no {missing}")
            return False
        flight.scores.append(known)
        done, asked = len(flight.scores), len(self.plan.spec.seeds)
        if self.plan.spec.pruner != "wilcoxon":
            self._report_epochs(flight, run)
        elif self.trials.report(flight.trial, [(done, known[0])]) and done < asked:
            self._end_flight(flight, TrialState.PRUNED, None, f"worse than the best after {done} of {asked} seeds")
            return False
        return True

    def _report_epochs(self, flight: Flight, run: ValidationRun) -> bool:
        """Report the first seed's evaluations; returns whether the pruner gives the trial up."""
        spec = self.plan.spec
        if len(spec.objectives) > 1 or spec.objectives[0] not in EVALUATED or run.seed != spec.seeds[0]:
            return False
        if self.plan.evaluates_only:
            return False  # the epochs are those of a training that has no trial's knobs
        return self.trials.report(flight.trial, evaluations(run, spec.objectives[0]))

    def _take(self, event: RunEvent) -> None:
        folder = self.runs.run_store.folder(event.signature)
        match event:
            case Progressed(signature, progress):
                self.board.progress[signature] = progress
                if not event.evaluated:
                    return
                flights = self.flights.get(signature, [])
                for flight in flights:
                    assert flight.run is not None
                    if self.plan.spec.pruner != "wilcoxon" and self._report_epochs(flight, flight.run):
                        flight.given_up = f"given up after epoch {progress.epoch}"
                if flights and all(flight.given_up for flight in flights):
                    self.trainer.stop_run(signature)
            case Retrying(signature, reason):
                self.board.notices.append(f"run {signature}: {reason}")
            case Ended(signature, state):
                self.board.progress.pop(signature, None)
                self._run_ended(signature, state)
        self.changed(folder.path)

    def _run_ended(self, signature: str, state: RunState) -> None:
        self.looked = float("-inf")  # a slot is free
        early_stopped = self.runs.run_store.folder(signature).read_state().early_stopped
        if state == RunState.STOPPED and self.trainer.stopping and not early_stopped:
            return  # its trials are released at the end
        for flight in self.flights.pop(signature, []):
            assert flight.run is not None
            if state.has_result:
                self._go_on(flight)
                continue
            flight.seconds += spent_seconds(flight.run)
            if state == RunState.STOPPED and (flight.given_up or early_stopped):
                reason = flight.given_up or f"repeats a run that was given up: {_reason(flight.run)}"
                self._report_epochs(flight, flight.run)
                self._stop_early(flight.run, f"trial {flight.trial.number} of {self.plan.spec.name}: {reason}")
                self._end_flight(flight, TrialState.PRUNED, None, reason)
            else:
                self._end_flight(
                    flight, TrialState.FAIL, None, f"seed {flight.run.seed} {state}: {_reason(flight.run)}"
                )

    def _stop_early(self, run: ValidationRun, reason: str) -> None:
        """Say in the folder, if it does not yet, that the run was left on purpose."""
        with claim(run.folder) as mine:
            if mine and not run.folder.read_state().early_stopped:
                set_state(run.folder, reason=reason, early_stopped=True)

    def _lift(self, run: ValidationRun) -> None:
        """Go on with a run that another study or a budget gave up: this study gives up none."""
        with claim(run.folder) as mine:
            if mine and run.folder.read_state().early_stopped:
                set_state(run.folder, early_stopped=False)

    def _end_flight(
        self, flight: Flight, state: TrialState, values: list[float] | None, reason: str | None = None
    ) -> None:
        self._end(flight.trial, state, values, reason, seconds=flight.seconds)

    def _end(
        self, trial: Trial, state: TrialState, values: list[float] | None, reason: str | None, **facts: float
    ) -> None:
        if not self.trials.end(trial, state, values, reason, **facts):
            self.board.notices.append(f"trial {trial.number}: another process has taken it over")
            return
        self._look()
        self.looked = float("-inf")
        self.changed(self.folder)
        self.show(self.board, next(one for one in self.board.records if one["number"] == trial.number))


def _reason(run: ValidationRun) -> str:
    reason = run.folder.read_state().reason
    return reason.splitlines()[0] if reason else "no reason given"
