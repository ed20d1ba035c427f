"""The arms that follow a fraction up, where a verdict hangs on interactions that it cannot tell apart.

A foldover repeats the fraction with one factor the other way round; a semifold is half of that. Three effects that are
one sum need two of them. Source: Mee and Peralta, Semifolding 2^(k-p) designs, Technometrics 42 (2000).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from reid.grids.designs.design import Arm
from reid.statistics.factor_coding import Codes, Coding
from reid.statistics.least_squares import Array, Fit


def follow_up(fraction: Sequence[Arm], every: Sequence[Arm], coding: Coding, wanted: Sequence[int]) -> list[Arm]:
    """The fewest arms of `every` beside `fraction` that tell the `wanted` columns of the model apart.

    Of as many arms those that tell the most other columns. Raises ValueError where no foldover does.
    """
    by_name = {arm.name: arm for arm in every}
    here = {arm.name for arm in fraction}
    every_fold = _foldovers([arm.name for arm in fraction])
    single = [names for names in every_fold if set(names) <= set(by_name) - here]
    double = (list(dict.fromkeys([*one, *other])) for one, other in combinations(single, 2))
    for candidates in (single, double):
        found: list[tuple[int, int, list[str]]] = []
        for names in candidates:
            told = ~np.isnan(_scales(coding, _codes([*here, *names])))
            if told[list(wanted)].all():
                found.append((len(names), -int(told.sum()), names))
        if found:
            return [by_name[name] for name in min(found)[2]]
    raise ValueError("no foldover of this fraction tells them apart; take a larger design")


def _foldovers(names: Sequence[str]) -> Iterator[list[str]]:
    """Semifolds, then foldovers: one factor the other way round, all of it or where another factor is off or on."""
    count = len(names[0])
    folds = [[f"{name[:f]}{1 - int(name[f])}{name[f + 1 :]}" for name in names] for f in range(count)]
    for fold in folds:
        for factor in range(count):
            for level in "01":
                yield [name for name in fold if name[factor] == level]
    yield from folds


def _codes(names: Sequence[str]) -> Codes:
    return np.array([[int(digit) for digit in name] for name in sorted(names)], dtype=np.int64)


def _scales(coding: Coding, codes: Codes) -> Array:
    """Standard errors of main effects and pairs; NaN of those that the arms do not tell apart."""
    model = coding.model(codes)
    x = np.hstack([np.ones((len(codes), 1)), model])
    return Fit(x, np.zeros(len(codes))).scale(np.eye(x.shape[1])[1:])
