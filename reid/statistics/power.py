"""How small an effect a design can call: the power of the verdict that will be spoken, not of a test of one factor."""

import numpy as np
from scipy import special

from reid.statistics.inference import LEVEL
from reid.statistics.spending import bound

POWER = 0.8


def detectable_effect(runs_a_level: int, seeds: int, factors: int, shares: tuple[float, ...] = ()) -> float:
    """The smallest effect of one factor that is called in 80 %, in standard deviations of a single run.

    It is a difference of two means of `runs_a_level` runs each over `seeds`, none of it varying from seed to seed, held
    against Holm's first bound for so many `factors`, or, where a grid is looked at, against that at the last of its
    looks at `shares` of the runs. NaN for one seed, of which there is no verdict for others.
    """
    if seeds < 2:
        return float("nan")
    df = factors * (seeds - 1)
    each = LEVEL / factors
    critical = bound(shares, each, df) if shares else -special.stdtrit(df, each / 2)
    return float((critical + special.stdtrit(df, POWER)) * np.sqrt(2 / runs_a_level))
