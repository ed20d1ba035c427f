"""A knob as an axis: numbers on a scale of 0..1, "off" and other words on places of their own beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reid.analysis.study_table import Study
from reid.metrics.formatting import MISSING
from reid.store.study import KnobRecord, KnobValue

OFF_PLACE, WORD_PLACE = -0.14, 1.14  # of the value besides the range: a number such as 0 for off, or a word


@dataclass(frozen=True)
class KnobAxis:
    """A knob of a study, to be drawn and told."""

    knob: KnobRecord

    @property
    def name(self) -> str:
        return self.knob.name

    @property
    def title(self) -> str:
        return self.knob.title or self.knob.name

    @property
    def is_choice(self) -> bool:
        return self.knob.kind == "choice"

    def is_number(self, value: KnobValue) -> bool:
        """Whether a value lies on the scale: not a choice, not the one besides, not absent."""
        return isinstance(value, int | float) and not self.is_choice and value != self.knob.other

    def place(self, value: KnobValue) -> float:
        """Where a value is drawn: choices evenly over 0..1, a number by its (log) range, the others beside it."""
        knob = self.knob
        if self.is_choice:
            return knob.choices.index(value) / max(len(knob.choices) - 1, 1)
        if not isinstance(value, int | float) or not self.is_number(value):
            return WORD_PLACE if isinstance(value, str) else OFF_PLACE
        low, high, at = (math.log(x) if knob.log else float(x) for x in (knob.low, knob.high, value))
        return (at - low) / (high - low) if high > low else 0.5

    def words(self, value: KnobValue) -> str:
        """A value for a table or a tick."""
        if value == self.knob.other == 0:
            return "off"
        if value is None:
            return MISSING
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        return f"{value:.3g}".replace("e-0", "e-").replace("-", "−")

    @property
    def span(self) -> str:
        """The range searched, in words."""
        if self.is_choice:
            return ", ".join(self.words(choice) for choice in self.knob.choices)
        off = "" if self.knob.other is None else f" or {self.words(self.knob.other)}"
        return f"{self.words(self.knob.low)} to {self.words(self.knob.high)}{' (log)' if self.knob.log else ''}{off}"

    def ticks(self, values: Sequence[KnobValue]) -> list[tuple[float, str]]:
        """Places and labels: all choices; else the range's ends and what is between, and the words among `values`."""
        if self.is_choice:
            return [(self.place(choice), self.words(choice)) for choice in self.knob.choices]
        if self.knob.log:
            first, last = math.ceil(math.log10(self.knob.low) - 1e-9), math.floor(math.log10(self.knob.high) + 1e-9)
            marks = [10.0**power for power in range(first, last + 1)] or [self.knob.low, self.knob.high]
            marks = marks[::-1][::2] if len(marks) > 3 else marks  # a narrow axis has no room for more
        else:
            marks = np.linspace(self.knob.low, self.knob.high, 3).tolist()
        scale = [(self.place(mark), self.words(mark)) for mark in marks]
        beside = {self.place(value): self.words(value) for value in values if not self.is_number(value)}
        return [*beside.items(), *scale]


def knob_axes(study: Study) -> list[KnobAxis]:
    """An axis for every knob, in the study's order."""
    return [KnobAxis(knob) for knob in study.record.knobs]
