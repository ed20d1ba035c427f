"""From an interval to words."""

import math

from scipy import stats

from reid.metrics.formatting import magnitude
from reid.metrics.spec import is_fraction

LEVEL = 0.05
MOST_SEEDS = 1000


def call(metric: str, low: float, high: float, significant: bool, rope: float) -> str | None:
    """ "helps", "hurts", "no effect larger than X", or None where the interval does not tell. What is no measure of
    ranking, a cost or an index of oscillation, is said to be raised or lowered: more of it is not better.

    An interval inside the region of practical equivalence (-rope, rope) is no effect, whatever its sign. `significant`
    says that the sign holds after correction for the number of factors.
    """
    if max(-low, high) < rope:
        return f"no effect larger than {magnitude(metric, max(-low, high))}"
    up, down = ("helps", "hurts") if is_fraction(metric) else ("raises it", "lowers it")
    if significant and low > 0:
        return up
    if significant and high < 0:
        return down
    return None


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
