"""A placebo: a factor that changes the random streams and nothing else, to show what an effect of nothing looks like.

It costs no run: it is switched on in half of the arms that are there, by a product of other factors that is no main
effect and no interaction of two. In all combinations of six factors that is the product of all six.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from reid.grids.designs.design import Arm, Factor
from reid.statistics.factor_coding import PLACEBO

__all__ = ["PLACEBO", "STREAMS", "with_placebo"]
STREAMS = "streams.variant"


def with_placebo(arms: Sequence[Arm], factors: Sequence[Factor], portion: Sequence[Arm]) -> list[Arm]:
    """The arms with the placebo on in half of them, and in half of `portion`, the fewest that are ever looked at.

    Raises ValueError where every product of factors is a main effect or an interaction of two there.
    """
    two = [index for index, factor in enumerate(factors) if len(factor.levels) == 2]
    signs = np.array([[1 - 2 * (arm.name[index] != "0") for index in two] for arm in portion])
    known = [
        np.ones(len(portion), dtype=int),
        *signs.T,
        *(signs[:, pair].prod(axis=1) for pair in combinations(range(len(two)), 2)),
    ]
    for size in range(len(two), 2, -1):
        for chosen in combinations(range(len(two)), size):
            product = signs[:, chosen].prod(axis=1)
            if not any(abs(int(product @ column)) for column in known):
                places = [two[index] for index in chosen]
                return [_switched(arm) if sum(arm.name[place] != "0" for place in places) % 2 else arm for arm in arms]
    raise ValueError(
        "a placebo is switched with a product of three factors or more that is no main effect and no interaction of "
        f"two; {len(arms)} arms of {len(two)} factors of two levels have none: leave it out, or take a larger design"
    )


def _switched(arm: Arm) -> Arm:
    variant = arm.recipe.streams.variant + 1
    return replace(arm, recipe=arm.recipe.set({STREAMS: variant}), placebo=True)
