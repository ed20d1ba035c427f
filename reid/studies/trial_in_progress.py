"""A trial at work: its runs, one seed after another, until it has its values or a reason why it has none."""

from collections.abc import Sequence
from statistics import fmean

from optuna.trial import Trial

from reid.recipe import Recipe
from reid.store.run_records import RunState
from reid.store.run_store import lift_early_stop, stop_early
from reid.store.study import TrialRun, TrialState
from reid.studies.study_file import EVALUATED, OF_EPOCHS
from reid.studies.trials import TrialOutcome, Trials
from reid.studies.validation_runs import SearchRuns, ValidationRun, evaluations, score


class TrialInProgress:
    """A trial that this process works on. `run` is the run it waits for, `seconds` what its runs cost so far."""

    def __init__(self, trial: Trial, recipe: Recipe, trials: Trials, runs: SearchRuns) -> None:
        self.trial, self.recipe = trial, recipe
        self.run: ValidationRun | None = None
        self.seconds = 0.0
        self._trials, self._search_runs, self._plan = trials, runs, trials.plan
        self._runs: list[TrialRun] = []
        self._scores: list[list[float]] = []  # of seeds, objectives
        self._given_up: str | None = None

    @property
    def given_up(self) -> bool:
        """Whether the pruner has given the trial up while its run trains."""
        return self._given_up is not None

    def next_run(self) -> ValidationRun | TrialOutcome:
        """The first run that has no result yet, after the results that are known are added; or how the trial ended."""
        self._given_up = None
        for seed in self._plan.spec.seeds[len(self._scores) :]:
            training = self._search_runs.training(self.recipe, seed) if self._plan.evaluates_only else None
            if training is not None and not _state(training).has_result:
                return self._wait_for(training)
            run = self._enter(seed, training)
            if not _state(run).has_result:
                return self._wait_for(run)
            if outcome := self.add_result(run):
                return outcome
        return TrialOutcome(TrialState.COMPLETE, mean_scores(self._scores))

    def add_result(self, run: ValidationRun) -> TrialOutcome | None:
        """Add the result of a run; returns how the trial ends where it ends with it."""
        spec = self._plan.spec
        self._count_seconds(run)
        if _state(run) == RunState.DIVERGED:
            return self._pruned(f"seed {run.seed} diverged: {_reason(run)}")
        found = [score(run, metric) for metric in spec.objectives]
        known = [value for value in found if value is not None]
        if len(known) < len(found):
            return self._pruned(f"seed {run.seed} has no {spec.objectives[found.index(None)]}")
        self._scores.append(known)
        done, asked = len(self._scores), len(spec.seeds)
        if spec.pruner != "wilcoxon":
            self._report_epochs(run)
        elif self._trials.report(self.trial, [(done, known[0])]) and done < asked:
            return self._pruned(f"worse than the best after {done} of {asked} seeds")
        return None

    def add_evaluation(self, epoch: int) -> None:
        """Take in that the run was evaluated after `epoch`: the pruner may give the trial up."""
        assert self.run is not None, "a run is evaluated while it is waited for"
        if self._plan.spec.pruner != "wilcoxon" and self._report_epochs(self.run):
            self._given_up = f"given up after epoch {epoch}"

    def end_without_result(self, state: RunState) -> TrialOutcome:
        """How the trial ends when its run came back in `state`, which is no result."""
        assert self.run is not None, "a run comes back while it is waited for"
        self._count_seconds(self.run)
        record = self.run.folder.read_state()
        if state != RunState.STOPPED or not (self.given_up or record.early_stopped):
            return TrialOutcome(TrialState.FAILED, reason=f"seed {self.run.seed} {state}: {_reason(self.run)}")
        reason = self._given_up or f"repeats a run that was given up: {_reason(self.run)}"
        self._report_epochs(self.run)
        stop_early(self.run.folder, f"trial {self.trial.number} of {self._plan.spec.name}: {reason}")
        return self._pruned(reason)

    def _enter(self, seed: int, training: ValidationRun | None) -> ValidationRun:
        run = self._search_runs.enter(self.recipe, seed, training)
        entry = TrialRun(seed=seed, signature=run.signature)
        if entry not in self._runs:
            self._runs.append(entry)
            runs = [known.model_dump() for known in self._runs]
            self._trials.storage.ride_out(lambda: self.trial.set_user_attr("runs", runs))
        return run

    def _wait_for(self, run: ValidationRun) -> ValidationRun:
        """Wait for a run. Where this study gives up none, one that another study or a budget gave up goes on."""
        self.run = run
        if self._plan.spec.pruner not in OF_EPOCHS:
            lift_early_stop(run.folder)
        return run

    def _report_epochs(self, run: ValidationRun) -> bool:
        """Report the first seed's evaluations; returns whether the pruner gives the trial up."""
        spec = self._plan.spec
        if len(spec.objectives) > 1 or spec.objectives[0] not in EVALUATED or run.seed != spec.seeds[0]:
            return False
        if self._plan.evaluates_only:
            return False  # the epochs are those of a training that has no trial's knobs
        return self._trials.report(self.trial, evaluations(run, spec.objectives[0]))

    def _count_seconds(self, run: ValidationRun) -> None:
        self.seconds += run.folder.read_state().seconds or 0.0

    def _pruned(self, reason: str) -> TrialOutcome:
        return TrialOutcome(TrialState.PRUNED, reason=reason)


def mean_scores(scores: Sequence[Sequence[float]]) -> list[float]:
    """Mean over seeds of each objective, from (seeds, objectives)."""
    return [fmean(values) for values in zip(*scores, strict=True)]


def _state(run: ValidationRun) -> RunState:
    return run.folder.read_state().state


def _reason(run: ValidationRun) -> str:
    reason = run.folder.read_state().reason
    return reason.splitlines()[0] if reason else "no reason given"
