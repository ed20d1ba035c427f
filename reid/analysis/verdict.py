"""From an estimate to a verdict: its kind, and the words made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy import special

from reid.metrics.formatting import magnitude
from reid.metrics.spec import Unit, spec_of
from reid.statistics.least_squares import Array

LEVEL = 0.05
POWER = 0.85  # predicted; comes true in 0.8 of those that are undecided so far, whose effects look too large
MOST_SEEDS = 100


class Kind(StrEnum):
    """What is said of an effect. Metrics of which one direction is better are helped or hurt; all else is raised or
    lowered: whether more of a cost or an index is worth it is for the reader to say. One seed shows its own effects
    only, not how far they hold for others.
    """

    HELPS = "helps"
    HURTS = "hurts"
    RAISES = "raises"
    LOWERS = "lowers"
    NO_EFFECT = "no_effect"
    UNDECIDED = "undecided"
    ONE_SEED = "one_seed"
    NOT_ESTIMABLE = "not_estimable"

    @property
    def has_sign(self) -> bool:
        return self in (Kind.HELPS, Kind.HURTS, Kind.RAISES, Kind.LOWERS)


GROUPS = {
    Kind.HELPS: "Helps",
    Kind.HURTS: "Hurts",
    Kind.NO_EFFECT: "No effect that matters",
    Kind.UNDECIDED: "Cannot tell yet",
    Kind.ONE_SEED: "Seen in one seed, not known of others",
    Kind.NOT_ESTIMABLE: "Not estimable",
}
WORDS = {Kind.HELPS: "helps", Kind.HURTS: "hurts", Kind.RAISES: "raises it", Kind.LOWERS: "lowers it"}


def headline(effects: pd.DataFrame, titles: Mapping[str, str], signed: Callable[[float], str]) -> str:
    """Verdicts of effects (see `reid.analysis.effects`) in one paragraph, a sentence a kind, in the frame's order."""
    parts = []
    for kind, group in GROUPS.items():
        members = effects.loc[effects["kind"] == kind, "effect"].items()
        words = [titles[str(name)] + f" ({signed(value)})" * (value == value) for name, value in members]
        if words:
            parts.append(f"{group}: {', '.join(words)}.")
    return " ".join(parts)


@dataclass(frozen=True)
class Verdict:
    """A kind, and the words for it."""

    kind: Kind
    words: str


@dataclass(frozen=True)
class Scale:
    """The metric that verdicts are spoken on: its name, which direction is better (None: neither), and from how much on
    an effect matters, in units of the metric (None: not declared).
    """

    metric: str
    higher_is_better: bool | None
    matters: float | None = None

    @classmethod
    def of(cls, metric: str, matters: float | None = None) -> "Scale":
        """The scale of a metric in the list: rankings have a better direction, whatever else is left to the reader."""
        spec = spec_of(metric)
        ranks = spec is not None and spec.unit is Unit.FRACTION
        return cls(metric, spec.higher_is_better if spec and ranks else None, matters)

    def sign(self, up: bool) -> Kind:
        """The kind of an effect that is surely above or below 0."""
        if self.higher_is_better is None:
            return Kind.RAISES if up else Kind.LOWERS
        return Kind.HELPS if up == self.higher_is_better else Kind.HURTS

    def call(self, effect: float, low: float, high: float, p_holm: float) -> Verdict:
        """The sign if it is sure; else no effect that matters, if that was declared and the interval says it; else
        nothing yet, without words.

        `low` and `high` hold together with those of the other factors and agree with `p_holm`.
        """
        if p_holm < LEVEL:
            kind = self.sign(effect > 0)
        else:
            kind = Kind.NO_EFFECT if self.is_within(low, high) else Kind.UNDECIDED
        return Verdict(kind, self.words(kind, low, high))

    def is_within(self, low: float, high: float) -> bool:
        """Whether an interval holds no effect that matters."""
        return self.matters is not None and max(-low, high) < self.matters

    def words(self, kind: Kind, low: float, high: float) -> str:
        """What is said of a kind that is decided; nothing of others."""
        declared = magnitude(self.metric, self.matters) if self.matters is not None else ""
        if kind is Kind.NO_EFFECT:
            return f"no effect that matters ({declared})"
        less = f", by less than matters ({declared})" if self.is_within(low, high) else ""
        return WORDS[kind] + less if kind.has_sign else ""


@dataclass(frozen=True)
class Evidence:
    """What an estimate rests on: its standard error and degrees of freedom, runs and seeds so far, factors tested."""

    error: float
    df: float
    runs: int
    seeds: int
    factors: int


def seeds_needed(effect: float, evidence: Evidence, matters: float | None) -> int | None:
    """Seeds in total with which an effect would be called in four of five repetitions; None where 100 would not do.

    Seeds to come are taken to bring as many runs as those there are. What is known now is an estimate with an error,
    and so is the error: the probability is the predictive one, of an estimate of all runs together given that of these.
    """
    candidates = np.arange(evidence.seeds + 1, MOST_SEEDS + 1)
    now = evidence.seeds / candidates  # share of the runs there are then that there are now
    error = evidence.error * np.sqrt(now)
    unknown = evidence.error * np.sqrt(1 - now)
    df = np.maximum(evidence.df, evidence.factors * (candidates - 1))
    critical = -special.stdtrit(df, LEVEL / 2 / evidence.factors) * error

    def below(x: Array) -> Array:
        return np.asarray(special.stdtr(evidence.df, (x - effect) / unknown))

    called = 1 - below(critical) + below(-critical)
    if matters is not None:
        room = np.maximum(matters - critical, 0)
        called = called + np.where(room > 0, below(np.minimum(room, critical)) - below(-np.minimum(room, critical)), 0)
    enough = candidates[called >= POWER]
    return int(enough[0]) if len(enough) else None


def advice(needed: int | None, planned: int, to_come: int) -> str:
    """What would settle it: the runs of the `planned` seeds that are yet `to_come`, or more seeds than these."""
    if needed is None:
        return f"cannot tell yet - more than {MOST_SEEDS} seeds would be needed"
    if to_come and needed <= planned:
        return "cannot tell yet - the planned runs that are still to come should"
    more = max(needed - planned, 1)
    after = " after the planned ones" if to_come else ""
    return f"cannot tell yet - about {more} more seed{'s' * (more > 1)}{after} would"
