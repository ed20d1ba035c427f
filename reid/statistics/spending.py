"""Bounds for looking at data again and again: an error rate spent over the looks (Lan and DeMets 1983).

The spending function is Pocock's kind, level x ln(1 + (e - 1) t) at the share t of the most information there can be:
it lets large effects be called early. Bounds come from the joint distribution of the looks (Armitage, McPherson and
Rowe 1969), whose increments are independent; see Jennison and Turnbull, Group Sequential Methods, 2000.
"""

from functools import cache

import numpy as np
from scipy import optimize, special

from reid.statistics.least_squares import Array

POINTS = 401  # of the grid on which the density between two bounds is carried on


def spent(share: float, level: float) -> float:
    """How much of `level` may be spent when `share` (0..1) of the most information is there."""
    return level * float(np.log1p((np.e - 1) * min(share, 1.0)))


@cache
def normal_bound(shares: tuple[float, ...], level: float) -> float:
    """The two-sided bound for |z| at the last of the looks at `shares` of the information, not crossed before."""
    grid, density = np.zeros(1), np.ones(1)
    before, bound = 0.0, np.inf
    for share in shares:
        step = np.sqrt(share - before)
        spend = spent(share, level) - (spent(before, level) if before else 0.0)

        def crossing(limit: float, grid: Array = grid, density: Array = density, step: float = step) -> float:
            beyond = special.ndtr((grid - limit) / step) + special.ndtr((-limit - grid) / step)
            return float(density @ beyond)

        end = 12 * np.sqrt(share)
        limit = optimize.brentq(lambda x, f=crossing, s=spend: f(x) - s, 0, end)
        points = np.linspace(-limit, limit, POINTS)
        width = np.full(POINTS, points[1] - points[0])
        width[[0, -1]] /= 2
        kernel = np.exp(-(((points[:, None] - grid) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        grid, density = points, (kernel @ density) * width
        before, bound = share, float(limit / np.sqrt(share))
    return bound


def bound(shares: tuple[float, ...], level: float, df: float) -> float:
    """As `normal_bound`, for an estimate over its standard error of `df` degrees of freedom: of the same tail."""
    tail = special.ndtr(-normal_bound(shares, level))
    return float(-special.stdtrit(df, tail))
