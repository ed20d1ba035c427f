"""The budget of a grid: which of its runs are trained how far, read from their folders."""

from typing import Any

from reid.grids.halving import Halving, Standing, Verdict, decide
from reid.store.claim import claim
from reid.store.run_records import ENDED
from reid.store.run_store import Ledger, set_state


class Budget:
    """Successive halving over a plan's runs. Runs that share another's training are left to that one's fate."""

    def __init__(self, halving: Halving, plan: dict[str, Any], ledger: Ledger) -> None:
        self.halving = halving
        self.ledger = ledger
        self.base = plan["arms"][0]["arm"]
        self.epochs = plan["arms"][0]["recipe"]["schedule"]["epochs"]
        self.arms = {run["signature"]: run["arm"] for run in plan["runs"] if "shares" not in run}
        self.given_up: set[str] = set()
        self.standings = {signature: self._read(signature) for signature in self.arms}

    def verdicts(self) -> dict[str, Verdict]:
        """What becomes of every run that is trained, by signature."""
        return decide(self.halving, self.epochs, self.base, self.standings)

    def heard(self, signature: str, until: int | None) -> bool:
        """Take in that a run trained up to `until` came back; whether it got there and is to wait for its verdict.

        One that came back sooner without a result gets no further in this launch.
        """
        standing = self._read(signature)
        paused = not standing.settled and until is not None and until in standing.mAP
        if not paused:
            self.given_up.add(signature)
        self.standings[signature] = self._read(signature)
        return paused

    def end(self, signature: str, verdict: Verdict) -> None:
        """Write into a run's folder that the budget ended it, unless another process trains it."""
        folder = self.ledger.folder(signature)
        with claim(folder) as mine:
            if mine:
                set_state(folder, state="stopped", censored=True, reason=verdict.reason, transient=False)

    def _read(self, signature: str) -> Standing:
        folder = self.ledger.folder(signature)
        state = folder.read("state") or {}
        evaluations = folder.read("evaluations") or []
        settled = state.get("state") in ENDED or state.get("held", False) or signature in self.given_up
        return Standing(
            self.arms[signature],
            {row["epoch"]: row["mAP"] for row in evaluations},
            settled=settled,
            worthless=state.get("state") == "diverged",
        )


def open_budget(plan: dict[str, Any], ledger: Ledger) -> Budget | None:
    """The budget of a plan, None where it has none. Runs that a budget ended and this one would not are open again."""
    halving = plan.get("budget", {}).get("halving")
    budget = Budget(Halving.model_validate(halving), plan, ledger) if halving else None
    verdicts = budget.verdicts() if budget else {}
    for run in plan["runs"]:
        verdict = verdicts.get(run.get("shares", run["signature"]))
        folder = ledger.folder(run["signature"])
        if (verdict is None or verdict.kind != "end") and (folder.read("state") or {}).get("censored"):
            with claim(folder) as mine:
                if mine:
                    set_state(folder, censored=False)
    return budget
