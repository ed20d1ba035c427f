"""The trials of a study, shared by all processes that work on it: taken, reported on, ended, and taken over."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Concatenate, ParamSpec, Self, TypeVar

import optuna
from optuna.trial import FrozenTrial, Trial
from pydantic import JsonValue

from reid.errors import InputError
from reid.store.run_records import RecipeRecord, Record
from reid.store.study import (
    ComparisonRecord,
    IntermediateValue,
    KnobRange,
    KnobRecord,
    TrialRecord,
    TrialRun,
    TrialState,
)
from reid.studies.liveness import WorkerHeartbeat
from reid.studies.search_space import make_pruner, make_sampler, params_of, space, values_of
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan

STATES = {
    optuna.trial.TrialState.COMPLETE: TrialState.COMPLETE,
    optuna.trial.TrialState.PRUNED: TrialState.PRUNED,
    optuna.trial.TrialState.FAIL: TrialState.FAILED,
    optuna.trial.TrialState.RUNNING: TrialState.RUNNING,
    optuna.trial.TrialState.WAITING: TrialState.WAITING,
}
IN_OPTUNA = {ours: theirs for theirs, ours in STATES.items()}
Given = ParamSpec("Given")
Answer = TypeVar("Answer")
RUNNING, WAITING = IN_OPTUNA[TrialState.RUNNING], IN_OPTUNA[TrialState.WAITING]


@dataclass(frozen=True)
class TrialOutcome:
    """How a trial ended: with its values, or with the reason why it has none."""

    state: TrialState
    values: Sequence[float] | None = None
    reason: str | None = None


class Definition(Record):
    """What all trials of a study must have in common to be compared: whatever changes a value but the knobs."""

    knobs: dict[str, KnobRange]
    objectives: list[str]
    seeds: list[int]
    recipe: dict[str, JsonValue]
    dataset: str

    @classmethod
    def of(cls, plan: StudyPlan, fingerprint: str) -> Self:
        turned = {knob.path for knob in plan.knobs}
        fields = RecipeRecord.of(plan.defaults).flat()
        return cls(
            knobs={knob.name: KnobRange.model_validate(knob.model_dump(by_alias=True)) for knob in plan.knobs},
            objectives=list(plan.spec.objectives),
            seeds=list(plan.spec.seeds),
            recipe={field: value for field, value in fields.items() if field not in turned},
            dataset=fingerprint,
        )

    def difference(self, asked: Self) -> str:
        """Where another definition first differs from this one, in words; empty where it does not."""
        for part in type(self).model_fields:
            before, now = getattr(self, part), getattr(asked, part)
            if before == now:
                continue
            if not isinstance(now, dict):
                return f"{part}: the study was searched with {before}, found {now}"
            for name in [*before, *(name for name in now if name not in before)]:
                if name not in now:
                    return f"{part}.{name}: the study was searched with it, found none"
                if name not in before:
                    return f"{part}.{name}: the study was searched without it"
                if before[name] != now[name]:
                    return f"{part}.{name}: the study was searched with {before[name]}, found {now[name]}"
        return ""


def riding_out(
    method: "Callable[Concatenate[Trials, Given], Answer]",
) -> "Callable[Concatenate[Trials, Given], Answer]":
    """A method that is done again, all of it, where the storage's server was away."""

    def ridden(self: "Trials", /, *args: Given.args, **kw: Given.kwargs) -> Answer:
        return self.storage.ride_out(lambda: method(self, *args, **kw))

    update_wrapper(ridden, method)
    return ridden


class Trials:
    """A study's trials in its storage, and this process among those that work on them.

    A trial is never made twice: one whose process died goes back to the queue with its values, and whoever takes it
    goes on with its runs. `trials` of them end, complete, pruned or failed; there are never more.
    """

    def __init__(self, plan: StudyPlan, storage: Storage, fingerprint: str) -> None:
        """Open the study, or make it. Raises InputError where it was searched under another definition."""
        self.plan, self.storage = plan, storage
        with storage.lock():
            self.study = optuna.create_study(
                study_name=plan.spec.name,
                storage=storage.backend,
                directions=[objective.direction for objective in plan.objectives],
                pruner=make_pruner(plan.spec.pruner, plan.defaults.schedule.epochs),
                load_if_exists=True,
            )
            self._define(fingerprint)
            if "identity" not in self.study.user_attrs:
                self.study.set_user_attr("identity", secrets.token_hex(8))
        self.identity: str = self.study.user_attrs["identity"]
        self.heartbeat = WorkerHeartbeat(self.study)
        self.heartbeat.beat()  # known before it owns anything
        self._spaces = space(plan.knobs)
        self._held: set[int] = set()  # numbers of the trials that were claimed and are not over

    @riding_out
    def beat(self) -> None:
        """Say that this process is alive, if it is time."""
        self.heartbeat.beat()

    def _define(self, fingerprint: str) -> None:
        """Write down what the trials have in common, or see that it is what they have; queue the paper's values."""
        asked = Definition.of(self.plan, fingerprint)
        found = self.study.user_attrs.get("definition")
        if found is not None:
            if difference := Definition.model_validate(found).difference(asked):
                raise InputError(
                    f"{self.plan.file}: {difference}; trials of two searches do not mix: "
                    "restore it, or give the study another name"
                )
            return
        first = params_of(self.plan.default_values(), self.plan.knobs)
        if first is not None and self.plan.spec.sampler.name != "grid" and not self.study.trials:
            self.study.enqueue_trial(first)
        self.study.set_user_attr("definition", asked.model_dump(mode="json"))

    @riding_out
    def claim(self) -> Trial | None:
        """A trial to work on, with a value for every knob; None if all are over or in others' hands."""
        with self.storage.lock():
            release_dead(self.study, self.storage, self.heartbeat, self._held)
            trials = self.study.get_trials(deepcopy=False)
            waiting = any(trial.state == WAITING for trial in trials)
            made = sum(trial.state != WAITING for trial in trials)
            if made >= self.plan.spec.trials or not (waiting or len(trials) < self.plan.spec.trials):
                return None
            self.study.sampler = make_sampler(self.plan.spec.sampler, self.plan.knobs, len(trials))
            trial = self.study.ask(self._spaces)
            trial.set_user_attr("owner", self.heartbeat.name)
        self._held.add(trial.number)  # not before the lock was let go of: where that fails it is claimed anew
        return trial

    @riding_out
    def mine(self, trial: Trial) -> bool:
        """Whether no other process took it over, taking this one for dead."""
        now = self.storage.backend.get_trial(trial._trial_id)
        return now.state == RUNNING and now.user_attrs.get("owner") == self.heartbeat.name

    @riding_out
    def report(self, trial: Trial, values: Sequence[tuple[int, float]]) -> bool:
        """Note (step, value) on the way, if not noted yet; returns whether the pruner gives the trial up."""
        noted = self.storage.backend.get_trial(trial._trial_id).intermediate_values
        for step, value in values:
            if step not in noted:
                trial.report(value, step)
        return bool(values) and trial.should_prune()

    @riding_out
    def end(self, trial: Trial, outcome: TrialOutcome, seconds: float | None = None) -> bool:
        """End a trial; returns False, and does nothing, where another process has taken it over."""
        self._held.discard(trial.number)
        with self.storage.lock():
            now = self.storage.backend.get_trial(trial._trial_id)
            if now.user_attrs.get("owner") == self.heartbeat.name and STATES[now.state].is_over:
                return True  # it was ended before, and the answer was lost
            if not self.mine(trial):
                return False
            trial.set_user_attr("reason", outcome.reason)
            trial.set_user_attr("seconds", seconds)
            self.study.tell(trial, outcome.values, IN_OPTUNA[outcome.state])
            return True

    @riding_out
    def release(self, trial: Trial) -> None:
        """Put a trial back, to be gone on with by whoever takes it next."""
        self._held.discard(trial.number)
        with self.storage.lock():
            if self.mine(trial):
                self.storage.backend.set_trial_state_values(trial._trial_id, WAITING)

    @riding_out
    def claim_comparison(self) -> bool | None:
        """Whether the comparison after the search is this process's to make; None where that is not known yet."""
        with self.storage.lock():
            maker = self.study.user_attrs.get("comparison")
            dead = maker is None or maker == self.heartbeat.name or self.heartbeat.is_dead(maker)
            if dead:
                self.study.set_user_attr("comparison", self.heartbeat.name)
            return dead

    @riding_out
    def compared(self, best: TrialRecord) -> ComparisonRecord | None:
        """The comparison of this winner, if one was made, wherever it was."""
        found = self._last_comparison()
        return found if found and (found.winner.trial, found.seeds) == (best.number, self.plan.fresh_seeds) else None

    def looks(self) -> int:
        """How many comparisons were made: others, where the study went on or has more fresh seeds by now."""
        found = self._last_comparison()
        return found.looks if found else 0

    def _last_comparison(self) -> ComparisonRecord | None:
        stored = self.study.user_attrs.get("compared")
        return None if stored is None else ComparisonRecord.model_validate(stored)

    @riding_out
    def end_comparison(self, record: ComparisonRecord | None) -> None:
        """Let go of the comparison, with what was found if it is whole."""
        if record is not None:
            self.study.set_user_attr("compared", record.model_dump(mode="json", by_alias=True))
        self.study.set_user_attr("comparison", None)

    @riding_out
    def count_over(self) -> int:
        return sum(STATES[trial.state].is_over for trial in self.study.get_trials(deepcopy=False))

    @riding_out
    def records(self) -> list[TrialRecord]:
        return records_of(self.study, self.plan.knobs)


def release_dead(study: optuna.Study, storage: Storage, heartbeat: WorkerHeartbeat, held: Collection[int] = ()) -> None:
    """Put back into the queue the trials of processes that ended, and those of this one that it does not know to hold.

    Called under the storage's lock.
    """
    for trial in study.get_trials(deepcopy=False, states=(RUNNING,)):
        owner = trial.user_attrs.get("owner")
        if heartbeat.is_dead(owner) or (owner == heartbeat.name and trial.number not in held):
            storage.backend.set_trial_state_values(trial._trial_id, WAITING)


def records_of(study: optuna.Study, knobs: Sequence[KnobRecord]) -> list[TrialRecord]:
    """Every trial, as trials.json has it. What only waits in the queue and was never begun is not one yet."""
    return [
        _record(trial, knobs)
        for trial in study.get_trials(deepcopy=False)
        if trial.state != WAITING or "owner" in trial.user_attrs
    ]


def _record(trial: FrozenTrial, knobs: Sequence[KnobRecord]) -> TrialRecord:
    noted, state = trial.user_attrs, STATES[trial.state]
    return TrialRecord(
        number=trial.number,
        state=state,
        values=tuple(trial.values) if state == TrialState.COMPLETE else None,
        params=values_of(trial.params, knobs),
        runs=tuple(TrialRun.model_validate(run) for run in noted.get("runs", ())),
        intermediate=tuple(
            IntermediateValue(step=step, value=value) for step, value in sorted(trial.intermediate_values.items())
        ),
        reason=noted.get("reason"),
        seconds=noted.get("seconds"),
        started=_iso(trial.datetime_start),
        ended=_iso(trial.datetime_complete),
    )


def _iso(time: datetime | None) -> str | None:
    """Optuna keeps local time without a zone."""
    return None if time is None else time.astimezone().isoformat(timespec="seconds")
