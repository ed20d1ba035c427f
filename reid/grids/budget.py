"""The budget of a grid: which of its runs are trained how far, read from their folders."""

from reid.grids.halving import ArmProgress, Halving, HalvingDecision, decide
from reid.store.claim import claim
from reid.store.plan import Plan
from reid.store.run_records import RunState
from reid.store.run_store import RunStore, set_state, take_snapshot


class Budget:
    """Successive halving over a plan's runs. Runs that share another's training are left to that one's fate."""

    def __init__(self, halving: Halving, plan: Plan, run_store: RunStore) -> None:
        self.halving = halving
        self.run_store = run_store
        self.base = plan.arms[0].arm
        self.epochs = plan.arms[0].recipe.epochs
        self.arms = {run.signature: run.arm for run in plan.runs if run.shares is None}
        self.given_up: set[str] = set()
        self.progress = {signature: self._read(signature) for signature in self.arms}

    def decisions(self) -> dict[str, HalvingDecision]:
        """What becomes of every run that is trained, by signature."""
        return decide(self.halving, self.epochs, self.base, self.progress)

    def heard(self, signature: str, until: int | None) -> bool:
        """Take in that a run trained up to `until` came back; whether it got there and is to wait for its decision.

        One that came back sooner without a result gets no further in this launch.
        """
        progress = self._read(signature)
        paused = not progress.settled and until is not None and until in progress.mAP
        if not paused:
            self.given_up.add(signature)
        self.progress[signature] = self._read(signature)
        return paused

    def end(self, signature: str, decision: HalvingDecision) -> None:
        """Write into a run's folder that the budget ended it, unless another process trains it."""
        folder = self.run_store.folder(signature)
        with claim(folder) as mine:
            if mine:
                set_state(folder, state=RunState.STOPPED, early_stopped=True, reason=decision.reason, transient=False)

    def _read(self, signature: str) -> ArmProgress:
        snapshot = take_snapshot(self.run_store.folder(signature))
        record = snapshot.record
        return ArmProgress(
            self.arms[signature],
            {evaluation.epoch: evaluation.mAP for evaluation in snapshot.evaluations},
            settled=record.state.has_result
            or record.quarantined
            or record.state == RunState.UNREADABLE
            or signature in self.given_up,
            worthless=record.state == RunState.DIVERGED,
        )


def open_budget(plan: Plan, run_store: RunStore) -> Budget | None:
    """The budget of a plan, None where it has none. Runs that a budget ended and this one would not are open again."""
    halving = plan.budget.get("halving")
    budget = Budget(Halving.model_validate(halving), plan, run_store) if halving else None
    decisions = budget.decisions() if budget else {}
    for run in plan.runs:
        decision = decisions.get(run.shares or run.signature)
        folder = run_store.folder(run.signature)
        if (decision is None or decision.kind != "end") and folder.read_state().early_stopped:
            with claim(folder) as mine:
                if mine:
                    set_state(folder, early_stopped=False)
    return budget
