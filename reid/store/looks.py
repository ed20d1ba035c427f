"""looks.json: what a grid that grows was seen to say, each look written down before the next batch is planned."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer

from reid.files import read_record
from reid.store.run_records import FileRecord, Record

LOOKS = "looks.json"
DECIDED = ("helps", "hurts", "raises", "lowers", "no_effect")
# JSON has no infinity: what cannot be estimated yet has bounds "-inf" and "inf" on disk.
Number = Annotated[float, PlainSerializer(lambda value: value if isfinite(value) else str(value), when_used="json")]


class FactorLook(Record):
    """A factor at a look, in units of the metric. The interval holds at every look (a repeated interval)."""

    effect: Number
    low: Number
    high: Number
    kind: Annotated[str, Field(description="the verdict: helps, hurts, no_effect, undecided, ...")]

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def is_decided(self) -> bool:
        """Whether there is a verdict: a sign, or no effect that matters."""
        return self.kind in DECIDED


class LookRecord(Record):
    """A look at all batches launched so far."""

    look: Annotated[int, Field(description="counted from 1")]
    batches: int
    runs: Annotated[int, Field(description="runs that counted")]
    diverged: Annotated[int, Field(description="runs that diverged")] = 0
    failed: Annotated[int, Field(description="runs that failed for good")] = 0
    critical: Annotated[Number, Field(description="the bound used at this look")]
    factors: dict[str, FactorLook]
    stop: Annotated[
        Literal["", "decided", "narrow", "at_most"], Field(description="why it was the last; empty: another batch")
    ]

    @property
    def decided(self) -> int:
        """How many factors have their verdict."""
        return sum(factor.is_decided for factor in self.factors.values())

    @property
    def lost(self) -> str:
        """The runs that did not count, in words; empty where all did."""
        counts = {"diverged": self.diverged, "failed": self.failed}
        return " and ".join(f"{count} {state}" for state, count in counts.items() if count)


class LooksRecord(FileRecord):
    """looks.json: the looks of a grid, in order."""

    looks: tuple[LookRecord, ...] = ()


def followed(looks: Sequence[LookRecord]) -> list[str]:
    """The factors that every look has."""
    return [name for name in looks[-1].factors if all(name in look.factors for look in looks)] if looks else []


def read_looks(folder: Path) -> tuple[LookRecord, ...]:
    """The looks of the grid in `folder`, none where nobody has looked. Raises DamagedFileError."""
    found = read_record(folder / LOOKS, LooksRecord)
    return found.looks if found else ()
