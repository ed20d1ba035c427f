"""The trials of a study, shared by all processes that work on it: taken, reported on, ended, and taken over."""

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from reid.errors import InputError
from reid.studies.knobs import StudyKnob
from reid.studies.liveness import Presence
from reid.studies.search_space import make_pruner, make_sampler, params_of, space, values_of
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
OVER = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


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
                directions=plan.directions,
                pruner=make_pruner(plan.spec.pruner, plan.defaults.schedule.epochs),
                load_if_exists=True,
            )
            self._define(fingerprint)
        self.presence = Presence(self.study)
        self.presence.beat()  # known before it owns anything
        self._spaces = space(plan.knobs)

    def _define(self, fingerprint: str) -> None:
        """Write down what the trials have in common, or see that it is what they have; queue the paper's values."""
        asked = definition(self.plan, fingerprint)
        found = self.study.user_attrs.get("definition")
        if found is not None:
            difference = _first_difference(found, asked)
            if difference:
                raise InputError(
                    f"{self.plan.file}: {difference}; trials of two searches do not mix: "
                    "restore it, or give the study another name"
                )
            return
        first = params_of(self.plan.default_values(), self.plan.knobs)
        if first is not None and self.plan.spec.sampler.name != "grid" and not self.study.trials:
            self.study.enqueue_trial(first)
        self.study.set_user_attr("definition", asked)

    def claim(self) -> Trial | None:
        """A trial to work on, with a value for every knob; None if all are over or in others' hands."""
        with self.storage.lock():
            release_dead(self.study, self.storage, self.presence)
            trials = self.study.get_trials(deepcopy=False)
            waiting = any(trial.state == TrialState.WAITING for trial in trials)
            made = sum(trial.state != TrialState.WAITING for trial in trials)
            if made >= self.plan.spec.trials or not (waiting or len(trials) < self.plan.spec.trials):
                return None
            self.study.sampler = make_sampler(self.plan.spec.sampler, self.plan.knobs, len(trials))
            trial = self.study.ask(self._spaces)
            trial.set_user_attr("owner", self.presence.name)
            return trial

    def mine(self, trial: Trial) -> bool:
        """Whether no other process took it over, taking this one for dead."""
        now = self.storage.backend.get_trial(trial._trial_id)
        return now.state == TrialState.RUNNING and now.user_attrs.get("owner") == self.presence.name

    def report(self, trial: Trial, values: Sequence[tuple[int, float]]) -> bool:
        """Note (step, value) on the way, if not noted yet; returns whether the pruner gives the trial up."""
        noted = self.storage.backend.get_trial(trial._trial_id).intermediate_values
        for step, value in values:
            if step not in noted:
                trial.report(value, step)
        return bool(values) and trial.should_prune()

    def end(
        self,
        trial: Trial,
        state: TrialState,
        values: Sequence[float] | None = None,
        reason: str | None = None,
        **facts: Any,
    ) -> bool:
        """End a trial; returns False, and does nothing, where another process has taken it over."""
        with self.storage.lock():
            if not self.mine(trial):
                return False
            for key, fact in {"reason": reason, **facts}.items():
                trial.set_user_attr(key, fact)
            self.study.tell(trial, values, state)
            return True

    def release(self, trial: Trial) -> None:
        """Put a trial back, to be gone on with by whoever takes it next."""
        with self.storage.lock():
            if self.mine(trial):
                self.storage.backend.set_trial_state_values(trial._trial_id, TrialState.WAITING)

    def claim_comparison(self) -> bool | None:
        """Whether the comparison after the search is this process's to make; None where that is not known yet."""
        with self.storage.lock():
            maker = self.study.user_attrs.get("comparison")
            dead = maker is None or maker == self.presence.name or self.presence.is_dead(maker)
            if dead:
                self.study.set_user_attr("comparison", self.presence.name)
            return dead

    def compared(self, best: dict[str, Any]) -> dict[str, Any] | None:
        """The comparison of this winner, if one was made, wherever it was."""
        found: dict[str, Any] | None = self.study.user_attrs.get("compared")
        asked = (best["number"], self.plan.fresh_seeds)
        return found if found is not None and (found["winner"]["trial"], found["seeds"]) == asked else None

    def end_comparison(self, record: dict[str, Any] | None) -> None:
        """Let go of the comparison, with what was found if it is whole."""
        if record is not None:
            self.study.set_user_attr("compared", record)
        self.study.set_user_attr("comparison", None)

    def count_over(self) -> int:
        return len(self.study.get_trials(deepcopy=False, states=OVER))

    def records(self) -> list[dict[str, Any]]:
        return records_of(self.study, self.plan.knobs)


def release_dead(study: optuna.Study, storage: Storage, presence: Presence) -> None:
    """Put the trials of processes that ended back into the queue. Called under the storage's lock."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if presence.is_dead(trial.user_attrs.get("owner")):
            storage.backend.set_trial_state_values(trial._trial_id, TrialState.WAITING)


def records_of(study: optuna.Study, knobs: list[StudyKnob]) -> list[dict[str, Any]]:
    """Every trial, as trials.json has it. What only waits in the queue and was never begun is not one yet."""
    return [
        _record(trial, knobs)
        for trial in study.get_trials(deepcopy=False)
        if trial.state != TrialState.WAITING or "owner" in trial.user_attrs
    ]


def _record(trial: FrozenTrial, knobs: list[StudyKnob]) -> dict[str, Any]:
    facts = trial.user_attrs
    return {
        "number": trial.number,
        "state": STATES[trial.state],
        "values": trial.values if trial.state == TrialState.COMPLETE else None,
        "params": values_of(trial.params, knobs),
        "runs": facts.get("runs", []),
        "intermediate": [{"step": step, "value": value} for step, value in sorted(trial.intermediate_values.items())],
        "reason": facts.get("reason"),
        "seconds": facts.get("seconds"),
        "started": _iso(trial.datetime_start),
        "ended": _iso(trial.datetime_complete),
    }


def _iso(time: Any) -> str | None:
    """Optuna keeps local time without a zone."""
    return None if time is None else time.astimezone().isoformat(timespec="seconds")


def definition(plan: StudyPlan, fingerprint: str) -> dict[str, Any]:
    """What all trials of a study must have in common to be compared: whatever changes a value but the knobs."""
    told = ("path", "kind", "low", "high", "log", "or", "choices")
    return {
        "knobs": {knob.name: {key: knob.record()[key] for key in told} for knob in plan.knobs},
        "objectives": list(plan.spec.objectives),
        "seeds": list(plan.spec.seeds),
        "recipe": {
            field: value
            for field, value in plan.defaults.flat().items()
            if field not in {knob.path for knob in plan.knobs}
        },
        "dataset": fingerprint,
    }


def _first_difference(found: dict[str, Any], asked: dict[str, Any]) -> str:
    """Where two definitions differ first, in words, or nothing."""
    for part in asked:
        before, now = found[part], asked[part]
        if not isinstance(now, dict):
            if before != _plain(now):
                return f"{part}: the study was searched with {before}, found {now}"
            continue
        for name in [*before, *(name for name in now if name not in before)]:
            if name not in now:
                return f"{part}.{name}: the study was searched with it, found none"
            if name not in before:
                return f"{part}.{name}: the study was searched without it"
            if before[name] != _plain(now[name]):
                return f"{part}.{name}: the study was searched with {_short(before[name])}, found {_short(now[name])}"
    return ""


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return (
            f"[{', '.join(map(str, value['choices']))}]"
            if value["choices"]
            else f"{value['low']:g} to {value['high']:g}"
        )
    return str(value)
