"""Batches: fractions of a factorial, trained in turn, each time with a seed of its own; several make it whole.

A grid that looks at its results as it goes needs runs in portions that are each a design. A batch is the smallest of
quarter, half and whole factorial of the two-level factors whose resolution is four or more, so that no main effect is
confounded with a pair; it is crossed with every level of the other factors. docs/decisions/0013 and 0023
say why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from reid.errors import InputError
from reid.grids.designs.design import Arm, Factor, launch_order, switched_on
from reid.grids.designs.fractions import MOST_FACTORS, defining_words, subgroup
from reid.store.looks import LookRecord

FIRST_LOOK = 2  # batches: with one there is no telling how an effect varies between seeds
Points = Annotated[float, Field(gt=0, le=100)]  # of mAP


class HalfWidth(BaseModel):
    """Every interval is at most this many points to either side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    half_width: Points


class Until(BaseModel):
    """Train batch after batch until every factor has its verdict, or every interval is narrow; `at_most` so many runs.

    `matters` is the smallest effect that matters, in points of mAP: a factor is decided when its sign is, or when its
    effect is known to be smaller than that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    until: Annotated[
        Annotated[Literal["decided"], Tag("<word>")] | Annotated[HalfWidth, Tag("<width>")],
        Discriminator(lambda value: "<width>" if isinstance(value, dict | HalfWidth) else "<word>"),
    ]
    matters: Points | None = None
    at_most: Annotated[int, Field(ge=1)]

    @property
    def half_width(self) -> float | None:
        """Of every interval, in points; None where verdicts are asked for."""
        return self.until.half_width if isinstance(self.until, HalfWidth) else None


def batches_due(looks: Sequence[LookRecord]) -> int:
    """How many batches a grid that grows has, after the looks so far."""
    return looks[-1].batches + (not looks[-1].stop) if looks else FIRST_LOOK


@dataclass(frozen=True)
class Batches:
    """`fractions` of a factorial in turn, all of one size; `seeds`, one a batch, are counted on where they end."""

    fractions: Sequence[Sequence[Arm]]
    seeds: Sequence[int]

    @property
    def size(self) -> int:
        """Runs of a batch."""
        return len(self.fractions[0])

    @property
    def whole(self) -> int:
        """Batches of a grid that does not stop early: one a seed, and at least those that make the factorial whole."""
        return max(len(self.seeds), len(self.fractions))

    def seed(self, batch: int) -> int:
        beyond = batch - len(self.seeds)
        return self.seeds[batch] if beyond < 0 else max(self.seeds) + 1 + beyond

    def runs(self, batches: int) -> list[tuple[Arm, int]]:
        """Arm and seed of every run of the first `batches`, in launch order."""
        turns = [(self.fractions[batch % len(self.fractions)], self.seed(batch)) for batch in range(batches)]
        return [run for arms, seed in turns for run in launch_order(arms, [seed])]


def batch_words(factors: int) -> list[int]:
    """Defining words of the batches of so many two-level factors, longest first; none where a batch is the whole.

    A half has as many letters as factors, a quarter of six and more has resolution four or more, of five only three.
    Raises ValueError for more factors than fractions are known of.
    """
    if factors > MOST_FACTORS:
        raise ValueError(f"batches are of at most {MOST_FACTORS} factors of two levels, found {factors}")
    halvings = 2 if factors >= 6 else 1 if factors >= 4 else 0
    words = subgroup(defining_words(factors, halvings)) if halvings else []
    return sorted(words, key=lambda word: (-word.bit_count(), word))[:halvings]


def fractions(arms: Sequence[Arm], factors: Sequence[Factor]) -> list[list[Arm]]:
    """The arms of a full factorial as batches, in turn: that of the base first, then the one that makes a half of the
    highest resolution with it. Raises ValueError for more factors than fractions are known of.
    """
    two = [index for index, factor in enumerate(factors) if len(factor.levels) == 2]
    words = batch_words(len(two))
    found: dict[tuple[int, ...], list[Arm]] = {}
    for arm in arms:
        on = switched_on(arm, two)
        found.setdefault(tuple((on & word).bit_count() % 2 for word in words), []).append(arm)
    return [found[parity] for parity in sorted(found)]


def check_at_most(rule: Until, batches: Batches) -> None:
    """Raise InputError where the runs that are allowed end before the first look."""
    least = FIRST_LOOK * batches.size
    if rule.at_most < least:
        raise InputError(
            f"design.at_most: must be at least {least}, two batches of {batches.size} runs, for there is no look "
            f"before; found {rule.at_most}"
        )
