"""From an interval to a verdict: its kind, and the words made from it."""

import math
from dataclasses import dataclass
from enum import StrEnum

from scipy import stats

from reid.metrics.formatting import magnitude
from reid.metrics.spec import Unit, spec_of

LEVEL = 0.05
MOST_SEEDS = 1000


class Kind(StrEnum):
    """What is said of an effect. Fractions that have a better direction are helped or hurt; all else is raised or
    lowered: whether more of a cost or an index is worth it is for the reader to say.
    """

    HELPS = "helps"
    HURTS = "hurts"
    RAISES = "raises it"
    LOWERS = "lowers it"
    NO_EFFECT = "no effect"
    UNDECIDED = "cannot tell yet"
    NOT_ESTIMABLE = "not estimable"

    @property
    def has_sign(self) -> bool:
        return self in (Kind.HELPS, Kind.HURTS, Kind.RAISES, Kind.LOWERS)


@dataclass(frozen=True)
class Verdict:
    """A kind, and what else is to be said."""

    kind: Kind
    words: str


def call(metric: str, low: float, high: float, significant: bool, rope: float) -> Verdict:
    """What an interval tells: the sign, no effect larger than X, or nothing yet.

    An interval inside the region of practical equivalence (-rope, rope) is no effect, whatever its sign. `significant`
    says that the sign holds after correction for the number of factors.
    """
    if max(-low, high) < rope:
        return Verdict(Kind.NO_EFFECT, f"no effect larger than {magnitude(metric, max(-low, high))}")
    if significant and (low > 0 or high < 0):
        kind = _sign(metric, up=low > 0)
        return Verdict(kind, str(kind))
    return Verdict(Kind.UNDECIDED, "cannot tell yet")


def _sign(metric: str, up: bool) -> Kind:
    spec = spec_of(metric)
    if spec is None or spec.unit is not Unit.FRACTION or spec.higher_is_better is None:
        return Kind.RAISES if up else Kind.LOWERS
    return Kind.HELPS if up == spec.higher_is_better else Kind.HURTS


def seeds_needed(effect: float, error: float, runs: int, arms: int, terms: int, rope: float) -> int:
    """Seeds of all `arms` arms, in total, that would settle an effect of this size: outside 0 or inside +-rope.

    `error` is its standard error now, from `runs` runs; it falls with the square root of their number. The sign is
    asked for at Bonferroni's level for `terms` terms, the bound of Holm's.
    """
    for total in range(max(runs // arms, 1) + 1, MOST_SEEDS):
        then = error * math.sqrt(runs / (arms * total))
        df = (arms - 1) * (total - 1)
        signed = abs(effect) > stats.t.ppf(1 - LEVEL / 2 / terms, df) * then
        if signed or abs(effect) + stats.t.ppf(1 - LEVEL / 2, df) * then < rope:
            return total
    return MOST_SEEDS


def advice(needed: int, planned: int, to_come: int) -> str:
    """What would settle it: the runs of the `planned` seeds that are yet `to_come`, or more seeds than these."""
    if to_come and needed <= planned:
        return "cannot tell yet - the planned runs that are still to come should"
    more = max(needed - planned, 1)
    after = " after the planned ones" if to_come else ""
    return f"cannot tell yet - about {more} more seed{'s' * (more > 1)}{after} would"
