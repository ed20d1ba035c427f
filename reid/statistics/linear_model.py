"""The finished runs of a table as a design: two linear models, and the error that their estimates have.

Effects come from the model (seeds as blocks, main effects, two-factor interactions), which on a complete factorial are
the plain contrasts. Comparisons of single arms come from the model (arms, seeds), or, where main effects and pairs can
be estimated, from the same with all contrasts of more factors as random effects. From two seeds on the error holds
what effects vary from seed to seed (`SeedByTrick`). What one seed says holds for that seed: its error is the noise
between runs alone.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.statistics.design import saturated
from reid.statistics.factor_coding import Codes, Coding, arm_names, coding
from reid.statistics.inference import Inference, Noise
from reid.statistics.least_squares import Array, Fit
from reid.statistics.lenth import FEWEST_CONTRASTS, pseudo_standard_error
from reid.statistics.random_effects import FEWEST_HIGH_ORDER, ArmPredictor
from reid.statistics.seed_by_trick import MeanSquare, SeedByTrick
from reid.statistics.variance_groups import variance_groups

FEWEST_DF = 6  # with fewer, a mean square makes intervals of no use
SEVERAL_SEEDS = 1.5  # effective number: 64 runs of one seed and 6 of another are 1.2
NO_NOISE = 1e-9  # of the values' size: rounding


class Analysis:
    """Two fits to `values` (n,) or (n, m) of runs with levels `codes` (n, k) and `seeds` (n,).

    Without `pairs` the interactions of two factors are taken to be nil. `lenient` as in `SeedByTrick`.
    """

    def __init__(
        self,
        coded: Coding,
        codes: Codes,
        seeds: NDArray[Any],
        values: Array,
        pairs: bool = True,
        lenient: bool = True,
    ) -> None:
        labels, seed_of = np.unique(seeds, return_inverse=True)
        self.coding, self.runs, self.seeds, self.pairs = coded, len(codes), len(labels), pairs
        self.codes, self.values = codes, values
        self.observed, self.arm_of = np.unique(codes, axis=0, return_inverse=True)
        self.position = {name: i for i, name in enumerate(arm_names(self.observed))}
        self.blocks = np.eye(self.seeds)[seed_of]
        model = coded.model(codes) if pairs else coded.main(codes)
        arms = np.eye(len(self.observed))[self.arm_of]
        self.effects_fit = Fit(np.hstack([self.blocks, model]), values)
        # Seeds sum to zero, so that an arm's coefficient is its mean over seeds.
        centred = self.blocks[:, : max(self.seeds - 1, 0)] - self.blocks[:, -1:]
        self.arms_fit = Fit(np.hstack([arms, centred]), values)
        self.varying = SeedByTrick(self.effects_fit.x, self.blocks, coded.main(codes), arms, values, lenient)
        counts = self.blocks.sum(axis=0)
        effective = counts.sum() ** 2 / (counts**2).sum() if len(counts) else 0.0
        self.over_seeds = bool(effective >= SEVERAL_SEEDS and self.varying.pooled.df)

    @cached_property
    def between_runs(self) -> MeanSquare:
        """What is left over between runs beside effects, pairs and what these vary between seeds."""
        rest, high = self.varying.between_runs, self.varying.high_order
        if rest.df >= max(FEWEST_DF, (rest.df + high.df) / 2) or not high.df:
            return rest
        df = rest.df + high.df
        total = high.value * high.df + (rest.value * rest.df if rest.df else 0)
        return MeanSquare(np.asarray(total / df), df, 0)

    @cached_property
    def noise(self) -> Noise:
        """The noise of a single run."""
        fit, arms = self.effects_fit, self.arms_fit
        if self.over_seeds:
            found = self.between_runs
            if found.df:
                source = f"left over between runs of {self.seeds} seeds"
                if found is not self.varying.between_runs:
                    source += ", interactions of more than two factors among it"
                return Noise(np.sqrt(found.value), found.df, source)
            pooled = self.varying.pooled
            return Noise(np.sqrt(pooled.value), pooled.df, f"seed × factor over {self.seeds} seeds")
        if arms.df >= max(FEWEST_DF, fit.df / 2):
            return Noise(arms.sd, arms.df, "left over between runs of one arm")
        contrasts = len(self.observed) - 1
        single = self.seeds == 1 and self.coding.switches and self.runs == len(self.observed)
        if single and fit.df < FEWEST_HIGH_ORDER and contrasts >= FEWEST_CONTRASTS:
            matrix = saturated(np.where(self.observed > 0, 1.0, -1.0))
            if matrix is not None:
                found_contrasts = matrix[1:] @ self.values[np.argsort(self.arm_of)] / (self.runs / 2)
                sd = pseudo_standard_error(found_contrasts) * np.sqrt(self.runs) / 2
                source = f"Lenth's pseudo standard error of {contrasts} contrasts, one seed"
                return Noise(sd, contrasts / 3, source, contrasts)
        nil = "effects and pairs" if self.pairs else "effects, pairs taken to be nil"
        return Noise(fit.sd, fit.df, f"left over beside {nil}")

    def _infer(self, fit: Fit, contrasts: Array) -> Inference:
        scale = fit.scale(contrasts)
        effect = np.asarray(contrasts @ fit.coefficients)
        effect[np.isnan(scale)] = np.nan
        noise = self.noise
        if self.over_seeds:
            error, df = self.varying.error(fit.weights(np.nan_to_num(contrasts)), self.between_runs)
        else:
            error = np.multiply.outer(scale, noise.sd)
            df = np.full_like(error, noise.df or np.nan)
        with np.errstate(invalid="ignore"):
            error = np.where(np.isnan(effect), np.nan, error)
            nothing = NO_NOISE * np.abs(self.values).max(axis=0, initial=0)
            error = np.where(error <= nothing, 0, error)
            effect = np.where(np.abs(effect) <= nothing, 0, effect)
        return Inference(effect, scale, error, df, noise.contrasts)

    def infer_effects(self, contrasts: Array) -> Inference:
        """Inference on `contrasts` (q, terms + pairs) of the main effects and interactions, in this order."""
        if not self.pairs:
            nil = np.abs(contrasts[:, len(self.coding.terms) :]).max(axis=1, initial=0) > 0
            contrasts = contrasts[:, : len(self.coding.terms)].copy()
            contrasts[nil & (np.abs(contrasts).max(axis=1, initial=0) == 0)] = np.nan
        return self._infer(self.effects_fit, self._after_blocks(contrasts))

    def infer_main(self) -> Inference:
        """Inference on the main effects of all terms."""
        return self.infer_effects(self._main())

    def infer_pairs(self) -> Inference:
        """Inference on the interactions of all pairs of terms."""
        terms, pairs = len(self.coding.terms), len(self.coding.pairs)
        return self.infer_effects(np.hstack([np.zeros((pairs, terms)), np.eye(pairs)]))

    def main_weights(self) -> Array:
        """Weights (terms, n) of the runs in each main effect."""
        contrasts = self._main() if self.pairs else np.eye(len(self.coding.terms))
        return self.effects_fit.weights(self._after_blocks(contrasts))

    def _main(self) -> Array:
        return np.eye(len(self.coding.terms), len(self.coding.terms) + len(self.coding.pairs))

    def _after_blocks(self, contrasts: Array) -> Array:
        return np.hstack([np.zeros((len(contrasts), self.seeds)), contrasts])

    @cached_property
    def groups(self) -> Codes:
        """For every column of values the factor by whose levels the noise of a run differs, -1 for none."""
        if not self.over_seeds:
            return np.full(self.values.shape[1:], -1)
        return variance_groups(self.codes, self.arms_fit, self.coding)

    @cached_property
    def predictor(self) -> ArmPredictor | None:
        """Random effects of three factors and more, where the rest can be estimated and they can be told from it."""
        enough = self.between_runs.df >= FEWEST_HIGH_ORDER and self.varying.high_order.df
        if not (self.coding.switches and self.pairs and enough):
            return None
        if np.isnan(self.effects_fit.scale(np.eye(self.effects_fit.x.shape[1]))).any():
            return None
        return ArmPredictor(self.effects_fit.x, self.codes, self.values, self.varying, self.between_runs, self.groups)

    def infer_arms(self, arms: Sequence[str], contrasts: Array) -> Inference:
        """Inference on `contrasts` (q, arms) of the means of `arms`; NaN where one of them has no finished run."""
        known = np.array([name in self.position for name in arms], dtype=bool)
        lost: NDArray[np.bool_] = np.abs(contrasts[:, ~known]).max(axis=1, initial=0) > 0
        if self.predictor is not None and len(arms):
            codes = np.array([[int(digit) for digit in name] for name in arms])
            main = np.hstack([np.full((len(arms), self.seeds), 1 / self.seeds), self.coding.model(codes)])
            wanted = np.where(lost[:, None], np.nan, contrasts)
            return self.predictor.infer(wanted @ main, wanted, codes)
        wanted = np.zeros((len(contrasts), len(self.position) + max(self.seeds - 1, 0)))
        wanted[:, [self.position[name] for name in arms if name in self.position]] = contrasts[:, known]
        wanted[lost] = np.nan
        return self._infer(self.arms_fit, wanted)

    def infer_cells(self, contrasts: Array) -> Inference:
        """As `infer_arms` over all cells; where some have no run, of the means that effects and interactions predict.

        The rows of `contrasts` (q, cells) must each sum to zero.
        """
        every = self.coding.every_arm()
        if len(self.position) == len(every):
            return self.infer_arms(arm_names(every), contrasts)
        if not self.pairs:
            return self.infer_effects(contrasts @ self.coding.main(every))
        return self.infer_effects(contrasts @ self.coding.model(every))


def analyse(
    table: pd.DataFrame, factors: Sequence[str], metric: str, pairs: bool = True, lenient: bool = True
) -> Analysis:
    """The analysis of `metric` on the finished runs of a tidy table (see `read_runs`)."""
    coded = coding(table, factors)
    finished = usable(table, metric)
    values = table[metric].to_numpy(dtype=float)
    codes, seeds = coded.codes(table)[finished], table["seed"].to_numpy()[finished]
    return Analysis(coded, codes, seeds, values[finished], pairs, lenient)


def usable(table: pd.DataFrame, metric: str) -> NDArray[np.bool_]:
    """Which rows count: finished, with a value of the metric."""
    finished: NDArray[np.bool_] = (table["state"] == "finished").to_numpy(dtype=bool)
    return finished & table[metric].notna().to_numpy(dtype=bool)
