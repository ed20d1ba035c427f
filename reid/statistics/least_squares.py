"""Least squares that says which contrasts the runs can estimate, and how large the noise of one run is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Noise:
    """Standard deviation of a single run, its degrees of freedom, and in words how it was measured.

    `sd` is NaN and `df` 0 where nothing is left to measure it with.
    """

    sd: Array
    df: float
    source: str


@dataclass(frozen=True)
class Inference:
    """Estimates with 95 % intervals and two-sided p-values; NaN where a contrast is not estimable.

    `scale` (q,) times the standard deviation of a single run is the standard error.
    """

    effect: Array
    scale: Array
    low: Array
    high: Array
    p: Array


class Fit:
    """Ordinary least squares of `y` (n,) or (n, m columns fitted alike) on `x` (n, p), of any rank."""

    def __init__(self, x: Array, y: Array) -> None:
        self.x = x
        self.inverse = np.linalg.pinv(x.T @ x, hermitian=True)
        self.coefficients = self.inverse @ (x.T @ y)
        self.row_space = self.inverse @ (x.T @ x)
        self.df = x.shape[0] - round(float(np.trace(self.row_space)))
        residual = y - x @ self.coefficients
        with np.errstate(invalid="ignore", divide="ignore"):
            self.sd: Array = np.sqrt((residual**2).sum(axis=0) / self.df) if self.df else np.full(y.shape[1:], np.nan)

    def scale(self, contrasts: Array) -> Array:
        """Standard errors (q,) of `contrasts` (q, p) for noise of standard deviation 1; NaN where not estimable."""
        gap = np.abs(contrasts @ self.row_space - contrasts).max(axis=1, initial=0)
        scale = np.sqrt(np.einsum("qi,ij,qj->q", contrasts, self.inverse, contrasts).clip(min=0))
        scale[~(gap < 1e-8)] = np.nan
        return np.asarray(scale)

    def weights(self, contrasts: Array) -> Array:
        """Weights (q, n) of the rows in the estimates of `contrasts` (q, p)."""
        return np.asarray(contrasts @ self.inverse @ self.x.T)

    def infer(self, contrasts: Array, noise: Noise) -> Inference:
        """Estimates of `contrasts` (q, p) of the coefficients under `noise`: arrays (q,) or (q, m)."""
        scale = self.scale(contrasts)
        effect = contrasts @ self.coefficients
        effect[np.isnan(scale)] = np.nan
        error = np.multiply.outer(scale, noise.sd)
        half = stats.t.ppf(0.975, noise.df) * error if noise.df else np.full_like(error, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            p = 2 * stats.t.sf(np.abs(effect) / error, noise.df) if noise.df else np.full_like(error, np.nan)
        return Inference(effect, scale, effect - half, effect + half, p)


def holm(p: Array) -> Array:
    """Holm's step-down adjustment of a family of p-values (q,); NaN ones are not part of the family."""
    adjusted = np.full_like(p, np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.maximum.accumulate(np.minimum(p[order] * factors, 1))
    return adjusted
