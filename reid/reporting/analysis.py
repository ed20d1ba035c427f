"""The finished runs of a table as a design: two linear models and one measure of noise for every page.

Estimates of effects come from the model (seeds as blocks, main effects, two-factor interactions), which on a complete
factorial are the plain contrasts. Estimates that compare single arms come from the model (arms, seeds). The noise is
the arm x seed residual where arms x seeds is complete, Lenth's pseudo standard error on one complete seed, and the
residual of the first model where runs are missing.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from reid.errors import InputError
from reid.reporting.least_squares import Array, Fit, Inference, Noise
from reid.reporting.lenth import FEWEST_CONTRASTS, pseudo_standard_error


class Analysis:
    """Two fits to `values` (n,) or (n, m) of runs with `signs` (n, k) of -1 (first level) or +1, and `seeds` (n,)."""

    def __init__(self, signs: Array, seeds: np.ndarray[Any, np.dtype[Any]], values: Array) -> None:
        n, k = signs.shape
        labels, seed_of = np.unique(seeds, return_inverse=True)
        self.signs, self.factors, self.seeds = signs, k, len(labels)
        self.pairs = list(combinations(range(k), 2))
        self.arm_of = ((signs > 0) @ (1 << np.arange(k)[::-1])).astype(int)
        blocks = np.eye(self.seeds)[seed_of]
        self.complete = n == self.seeds * 2**k == len(set(zip(self.arm_of.tolist(), seed_of.tolist(), strict=True)))
        self.effects_fit = Fit(np.hstack([blocks, self._columns(signs)]), values)
        # Seeds sum to zero, so that an arm's coefficient is its mean over seeds.
        centred = blocks[:, : max(self.seeds - 1, 0)] - blocks[:, -1:]
        self.arms_fit = Fit(np.hstack([np.eye(2**k)[self.arm_of], centred]), values)
        self.noise = self._noise(values)

    def _columns(self, signs: Array) -> Array:
        """Columns of main effects and interactions, halved: a coefficient is a difference of two means."""
        products = [signs[:, i] * signs[:, j] for i, j in self.pairs]
        return np.column_stack([signs, *products]) / 2

    def _noise(self, values: Array) -> Noise:
        runs = len(self.signs)
        if self.complete and self.seeds > 1:
            return Noise(self.arms_fit.sd, self.arms_fit.df, f"arm × seed residual over {self.seeds} seeds")
        if self.complete and runs > FEWEST_CONTRASTS:
            contrasts = saturated(self.factors)[1:] @ values[np.argsort(self.arm_of)] / (runs / 2)
            sd = pseudo_standard_error(contrasts) * np.sqrt(runs) / 2
            return Noise(sd, (runs - 1) / 3, f"Lenth's pseudo standard error of {runs - 1} contrasts, one seed")
        source = "residual of main effects and two-factor interactions"
        return Noise(self.effects_fit.sd, self.effects_fit.df, source)

    def infer_effects(self, contrasts: Array) -> Inference:
        """Inference on `contrasts` (q, k + pairs) of the main effects and interactions, in this order."""
        return self.effects_fit.infer(np.hstack([np.zeros((len(contrasts), self.seeds)), contrasts]), self.noise)

    def infer_arms(self, contrasts: Array) -> Inference:
        """Inference on `contrasts` (q, 2^k) of the arms' means, arms in the order of their names."""
        centred = np.zeros((len(contrasts), max(self.seeds - 1, 0)))
        return self.arms_fit.infer(np.hstack([contrasts, centred]), self.noise)

    def infer_cells(self, contrasts: Array) -> Inference:
        """As `infer_arms`; where the design is incomplete, of the means that main effects and interactions predict.

        The rows of `contrasts` must each sum to zero.
        """
        if self.complete:
            return self.infer_arms(contrasts)
        return self.infer_effects(contrasts @ self._columns(cells(self.factors)))


def analyse(table: pd.DataFrame, factors: Sequence[str], metric: str) -> Analysis:
    """The analysis of `metric` on the finished runs of a tidy table (see `read_runs`)."""
    finished = ((table["state"] == "finished") & table[metric].notna()).to_numpy()
    signs = np.column_stack([_signs(table[name], name) for name in factors])
    values = table[metric].to_numpy(dtype=float)
    return Analysis(signs[finished], table["seed"].to_numpy()[finished], values[finished])


def levels(column: "pd.Series[Any]") -> list[str]:
    """Both levels of a factor's column in words, the one coded -1 first."""
    if column.dtype == bool:
        return ["off", "on"]
    return [str(level) for level in column.astype("category").cat.categories]


def _signs(column: "pd.Series[Any]", name: str) -> Array:
    """-1 for the first level, +1 for the second."""
    found = levels(column)
    if len(found) != 2:
        raise InputError(
            f"factor {name}: the report compares two levels, found {len(found)} ({', '.join(found)}); "
            "plan a grid with two levels of it"
        )
    codes = column.to_numpy() if column.dtype == bool else column.astype("category").cat.codes.to_numpy()
    return np.where(codes, 1.0, -1.0)


def cells(k: int) -> Array:
    """Signs (2^k, k) of every arm, in the order of the arms' names: 00…0 first."""
    return np.where(np.arange(2**k)[:, None] >> np.arange(k)[::-1] & 1, 1.0, -1.0)


def saturated(k: int) -> Array:
    """All contrasts (2^k, 2^k) of a full factorial, the mean first: row j multiplies the signs of the bits of j."""
    matrix = np.ones((1, 1))
    for _ in range(k):
        matrix = np.kron(matrix, np.array([[1.0, 1.0], [-1.0, 1.0]]))
    return matrix
