"""Successive halving: arms that are clearly behind are not trained to their end. docs/decisions/0016 says the price.

At every rung, an epoch, all arms are compared by the mean mAP of their seeds, and the best go on. Who goes on is read
from the runs alone, so it does not matter when a grid was interrupted or who trains it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from math import ceil
from statistics import fmean
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reid.recipe import Recipe


class Halving(BaseModel):
    """The first rung, in epochs, and what both divides the arms at a rung and leads to the next rung."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Annotated[int, Field(ge=1)]
    factor: Annotated[int, Field(ge=2)] = 3

    def rungs(self, epochs: int) -> list[int]:
        """Epochs at which arms are compared: first, first x factor, ... before the end."""
        return list(takewhile(lambda rung: rung < epochs, (self.first * self.factor**power for power in count())))

    def kept(self, arms: int) -> int:
        """How many of `arms` are kept for their mAP."""
        return ceil(arms / self.factor)

    def share(self, arms: int, epochs: int) -> float:
        """The most that is trained of all `arms` over all `epochs`: as if the base arm were never among the best."""
        trained, before = 0, 0
        left = arms
        for rung in [*self.rungs(epochs), epochs]:
            trained += left * (rung - before)
            left, before = min(left, self.kept(left) + 1), rung
        return trained / (arms * epochs)


@dataclass(frozen=True)
class ArmProgress:
    """What is known of a run: its arm, its mAP by epoch, and whether it will get no further than it is.

    `worthless` is a run that ended without a model to rank, diverged.
    """

    arm: str
    mAP: Mapping[int, float]
    settled: bool = False
    worthless: bool = False

    def has_reached(self, rung: int) -> bool:
        return self.settled or rung in self.mAP


@dataclass(frozen=True)
class HalvingDecision:
    """What becomes of a run: "train" it up to `epoch` (None: its end), let it "wait", or "end" it at rung `epoch`."""

    kind: Literal["train", "wait", "end"]
    epoch: int | None = None
    reason: str = ""


def decide(halving: Halving, epochs: int, base: str, runs: Mapping[str, ArmProgress]) -> dict[str, HalvingDecision]:
    """The decision on every run, by signature; `runs` are in the grid's order, which breaks ties.

    A rung is decided once every run of the arms that reached it has. The `base` arm always goes on. A run that diverged
    before the rung counts as mAP 0, one that failed does not count.
    """
    decisions: dict[str, HalvingDecision] = {}
    left = list(dict.fromkeys(run.arm for run in runs.values()))
    for rung in halving.rungs(epochs):
        here = {signature: run for signature, run in runs.items() if run.arm in left}
        if not all(run.has_reached(rung) for run in here.values()):
            return decisions | {
                signature: HalvingDecision("wait") if run.has_reached(rung) else HalvingDecision("train", rung)
                for signature, run in here.items()
            }
        scores = {arm: _score([run for run in here.values() if run.arm == arm], rung) for arm in left}
        ranked = sorted(left, key=lambda arm: -scores[arm])
        best = {*ranked[: halving.kept(len(left))], base}
        for signature, run in here.items():
            if run.arm not in best:
                place = f"{ranked.index(run.arm) + 1} of {len(left)} arms"
                reason = f"budget: {place} at epoch {rung} with mAP {100 * scores[run.arm]:.1f}"
                decisions[signature] = HalvingDecision("end", rung, reason)
        left = [arm for arm in left if arm in best]
    return decisions | {signature: HalvingDecision("train") for signature, run in runs.items() if run.arm in left}


def problem(halving: Halving, recipes: Sequence[tuple[str, Recipe]]) -> str | None:
    """Why arms, by name, cannot be compared at the rungs; None where they can."""
    epochs = {recipe.schedule.epochs for _, recipe in recipes}
    if len(epochs) > 1:
        return f"every arm needs the same schedule.epochs, found {sorted(epochs)}"
    if not halving.rungs(min(epochs)):
        return f"first must be below schedule.epochs {min(epochs)}, found {halving.first}"
    for name, recipe in recipes:
        if halving.first % recipe.evaluation.every:
            return (
                f"first must be an epoch that is evaluated, found {halving.first} where arm {name} has "
                f"evaluation.every {recipe.evaluation.every}; set evaluation.every to a divisor of {halving.first}"
            )
    return None


def _score(runs: Sequence[ArmProgress], rung: int) -> float:
    """Mean mAP of an arm's runs at a rung."""
    known = [run.mAP.get(rung, 0.0) for run in runs if run.worthless or rung in run.mAP]
    return fmean(known) if known else 0.0
