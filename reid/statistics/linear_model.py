"""The finished runs of a table as a design: two linear models and one measure of noise for every page.

Estimates of effects come from the model (seeds as blocks, main effects, two-factor interactions), which on a complete
factorial are the plain contrasts. Estimates that compare single arms come from the model (arms, seeds). The noise is
the arm x seed residual with two seeds or more, Lenth's pseudo standard error on one seed of a whole factorial or
fraction, and the residual of the first model where neither can be had.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reid.statistics.design import saturated
from reid.statistics.factor_coding import Codes, Coding, arm_names, coding
from reid.statistics.least_squares import Array, Fit, Inference, Noise
from reid.statistics.lenth import FEWEST_CONTRASTS, pseudo_standard_error

FEWEST_DF = 6  # with fewer, the arm x seed residual makes intervals of no use


class Analysis:
    """Two fits to `values` (n,) or (n, m) of runs with levels `codes` (n, k) and `seeds` (n,)."""

    def __init__(self, coded: Coding, codes: Codes, seeds: np.ndarray[Any, np.dtype[Any]], values: Array) -> None:
        labels, seed_of = np.unique(seeds, return_inverse=True)
        self.coding, self.runs, self.seeds = coded, len(codes), len(labels)
        observed, arm_of = np.unique(codes, axis=0, return_inverse=True)
        self.position = {name: i for i, name in enumerate(arm_names(observed))}
        blocks = np.eye(self.seeds)[seed_of]
        self.effects_fit = Fit(np.hstack([blocks, coded.model(codes)]), values)
        # Seeds sum to zero, so that an arm's coefficient is its mean over seeds.
        centred = blocks[:, : max(self.seeds - 1, 0)] - blocks[:, -1:]
        self.arms_fit = Fit(np.hstack([np.eye(len(observed))[arm_of], centred]), values)
        self.noise = self._noise(observed, arm_of, values)

    def _noise(self, observed: Codes, arm_of: Codes, values: Array) -> Noise:
        if self.seeds > 1 and self.arms_fit.df >= min(FEWEST_DF, self.effects_fit.df):
            return Noise(self.arms_fit.sd, self.arms_fit.df, f"arm × seed residual over {self.seeds} seeds")
        contrasts = len(observed) - 1
        if self.seeds == 1 and self.coding.switches and len(arm_of) == len(observed) and contrasts >= FEWEST_CONTRASTS:
            matrix = saturated(np.where(observed > 0, 1.0, -1.0))
            if matrix is not None:
                found = matrix[1:] @ values[np.argsort(arm_of)] / (self.runs / 2)
                sd = pseudo_standard_error(found) * np.sqrt(self.runs) / 2
                return Noise(sd, contrasts / 3, f"Lenth's pseudo standard error of {contrasts} contrasts, one seed")
        source = "residual of main effects and two-factor interactions"
        return Noise(self.effects_fit.sd, self.effects_fit.df, source)

    def infer_effects(self, contrasts: Array) -> Inference:
        """Inference on `contrasts` (q, terms + pairs) of the main effects and interactions, in this order."""
        return self.effects_fit.infer(self._after_blocks(contrasts), self.noise)

    def infer_main(self) -> Inference:
        """Inference on the main effects of all terms."""
        return self.infer_effects(self._main())

    def infer_pairs(self) -> Inference:
        """Inference on the interactions of all pairs of terms."""
        terms, pairs = len(self.coding.terms), len(self.coding.pairs)
        return self.infer_effects(np.hstack([np.zeros((pairs, terms)), np.eye(pairs)]))

    def main_weights(self) -> Array:
        """Weights (terms, n) of the runs in each main effect."""
        return self.effects_fit.weights(self._after_blocks(self._main()))

    def _main(self) -> Array:
        return np.eye(len(self.coding.terms), len(self.coding.terms) + len(self.coding.pairs))

    def _after_blocks(self, contrasts: Array) -> Array:
        return np.hstack([np.zeros((len(contrasts), self.seeds)), contrasts])

    def infer_arms(self, arms: Sequence[str], contrasts: Array) -> Inference:
        """Inference on `contrasts` (q, arms) of the means of `arms`; NaN where one of them has no finished run."""
        known = np.array([name in self.position for name in arms], dtype=bool)
        wanted = np.zeros((len(contrasts), len(self.position) + max(self.seeds - 1, 0)))
        wanted[:, [self.position[name] for name in arms if name in self.position]] = contrasts[:, known]
        wanted[contrasts[:, ~known].any(axis=1)] = np.nan
        return self.arms_fit.infer(wanted, self.noise)

    def infer_cells(self, contrasts: Array) -> Inference:
        """As `infer_arms` over all cells; where some have no run, of the means that effects and interactions predict.

        The rows of `contrasts` (q, cells) must each sum to zero.
        """
        every = self.coding.every_arm()
        if len(self.position) == len(every):
            return self.infer_arms(arm_names(every), contrasts)
        return self.infer_effects(contrasts @ self.coding.model(every))


def analyse(table: pd.DataFrame, factors: Sequence[str], metric: str) -> Analysis:
    """The analysis of `metric` on the finished runs of a tidy table (see `read_runs`)."""
    coded = coding(table, factors)
    finished = usable(table, metric)
    values = table[metric].to_numpy(dtype=float)
    return Analysis(coded, coded.codes(table)[finished], table["seed"].to_numpy()[finished], values[finished])


def usable(table: pd.DataFrame, metric: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows count: finished, with a value of the metric."""
    return ((table["state"] == "finished") & table[metric].notna()).to_numpy(dtype=bool)
