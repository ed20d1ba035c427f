"""From an interval to words."""

import math

from scipy import stats

from reid.reporting.words import magnitude

LEVEL = 0.05
MOST_SEEDS = 1000


def call(metric: str, low: float, high: float, significant: bool, rope: float) -> str | None:
    """ "helps", "hurts", "no effect larger than X", or None where the interval does not tell.

    An interval inside the region of practical equivalence (-rope, rope) is no effect, whatever its sign. `significant`
    says that the sign holds after correction for the number of factors.
    """
    if max(-low, high) < rope:
        return f"no effect larger than {magnitude(metric, max(-low, high))}"
    if significant and low > 0:
        return "helps"
    if significant and high < 0:
        return "hurts"
    return None


def more_seeds(effect: float, arms: int, seeds: int, sd: float, factors: int) -> int:
    """How many more seeds of `arms` arms would settle an effect of this size: outside 0 or inside +-sd.

    The sign is asked for at Bonferroni's level for `factors` factors, the bound of Holm's.
    """
    for total in range(max(seeds, 1) + 1, MOST_SEEDS):
        error = 2 * sd / math.sqrt(arms * total)
        df = (arms - 1) * (total - 1)
        signed = abs(effect) > stats.t.ppf(1 - LEVEL / 2 / factors, df) * error
        if signed or abs(effect) + stats.t.ppf(1 - LEVEL / 2, df) * error < sd:
            return total - seeds
    return MOST_SEEDS
