"""Dunnett's one-sided critical value: many compared with one."""

import numpy as np
from scipy import optimize, special

LEVEL = 0.05


def dunnett_critical(comparisons: int, df: float, level: float = LEVEL) -> float:
    """What the largest of so many differences from one control, each over its error, exceeds with probability `level`.

    For means of equal errors, so that any two differences correlate by a half; their variance has `df` degrees of
    freedom.
    """
    if comparisons < 1:
        return 0.0
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    shares = (np.arange(200) + 0.5) / 200
    spread = np.sqrt(special.chdtri(df, shares) / df)  # of the estimated over the true standard deviation

    def excess(critical: float) -> float:
        below = special.ndtr(nodes[:, None] + np.sqrt(2) * critical * spread) ** comparisons
        return float(weights @ below.mean(axis=1)) - (1 - level)

    return float(optimize.brentq(excess, 0, 50))
