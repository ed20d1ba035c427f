"""A knob as an axis: numbers on a scale of 0..1, "off" and other words on places of their own beside it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reid.metrics.formatting import MISSING

OFF_PLACE, WORD_PLACE = -0.14, 1.14  # of the value besides the range: a number such as 0 for off, or a word


@dataclass(frozen=True)
class Knob:
    """A knob of a study as study.json describes it. `default` is the paper's value, `other` one besides the range."""

    name: str
    title: str
    kind: str
    low: float
    high: float
    log: bool
    other: float | str | None
    choices: tuple[Any, ...]
    default: Any

    def is_number(self, value: Any) -> bool:
        """Whether a value lies on the scale: not a choice, not the one besides, not absent."""
        return self.kind != "choice" and value is not None and value != self.other

    def place(self, value: Any) -> float:
        """Where a value is drawn: choices evenly over 0..1, a number by its (log) range, the others beside it."""
        if self.kind == "choice":
            return self.choices.index(value) / max(len(self.choices) - 1, 1)
        if not self.is_number(value):
            return WORD_PLACE if isinstance(value, str) else OFF_PLACE
        low, high, at = (math.log(x) if self.log else float(x) for x in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5

    def words(self, value: Any) -> str:
        """A value for a table or a tick."""
        if value == self.other == 0:
            return "off"
        if value is None:
            return MISSING
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        return f"{value:.3g}".replace("e-0", "e-").replace("-", "−")

    @property
    def span(self) -> str:
        """The range searched, in words."""
        if self.kind == "choice":
            return ", ".join(self.words(choice) for choice in self.choices)
        off = "" if self.other is None else f" or {self.words(self.other)}"
        return f"{self.words(self.low)} to {self.words(self.high)}{' (log)' if self.log else ''}{off}"

    def ticks(self, values: list[Any]) -> list[tuple[float, str]]:
        """Places and labels: all choices; else the range's ends and what is between, and the words among `values`."""
        if self.kind == "choice":
            return [(self.place(choice), self.words(choice)) for choice in self.choices]
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            marks = [10.0**power for power in range(first, last + 1)] or [self.low, self.high]
            marks = marks[::-1][::2] if len(marks) > 3 else marks  # a narrow axis has no room for more
        else:
            marks = np.linspace(self.low, self.high, 3).tolist()
        scale = [(self.place(mark), self.words(mark)) for mark in marks]
        beside = {self.place(value): self.words(value) for value in values if not self.is_number(value)}
        return [*beside.items(), *scale]


def knob(described: Mapping[str, Any]) -> Knob:
    """A knob from its entry in study.json. Raises KeyError for one without name, kind or default."""
    return Knob(
        described["name"],
        described.get("title") or described["name"],
        described["kind"],
        described.get("low") or 0.0,
        described.get("high") or 0.0,
        bool(described.get("log")),
        0 if described.get("zero_is_off") else described.get("or"),
        tuple(described.get("choices") or ()),
        described["default"],
    )
