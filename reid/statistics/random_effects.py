"""Means of single arms, and their differences, with the contrasts of three factors and more as random effects.

Two arms of a few runs say little; main effects and pairs alone say too much, for interactions of more factors exist.
Between them: these are random with one variance, which the runs show, and are shrunk as much as it says (the best
linear unbiased predictor). Where a run an arm leaves that variance and the noise in one mean square, contrasts are
halved and the error is the largest that any split of the mean square gives.
"""

from itertools import combinations

import numpy as np
from scipy import special

from reid.statistics.factor_coding import Codes
from reid.statistics.inference import Inference
from reid.statistics.least_squares import Array, basis
from reid.statistics.seed_by_trick import MeanSquare, SeedByTrick

FEWEST_HIGH_ORDER = 10  # degrees of freedom, with fewer the variance of the random effects is anything
UPPER = 0.35  # the variance of the random effects is taken at the upper end of its one-sided 65 % interval


class ArmPredictor:
    """Predictor of contrasts of arms from runs with `codes` (n, k of 0 and 1) and `values` (n,) or (n, m).

    `known` (n, p) are seeds, main effects and pairs. `groups` is, for every column of values, the factor by whose
    levels the noise differs, -1 for none.
    """

    def __init__(
        self,
        known: Array,
        codes: Codes,
        values: Array,
        varying: SeedByTrick,
        noise: MeanSquare,
        groups: Codes,
    ) -> None:
        self.known, self.codes, self.values, self.varying, self.noise = known, codes, values, varying, noise
        self.groups = np.atleast_1d(groups)
        self.random = high_order(codes)
        self.explained = basis(np.hstack([known, *varying.by_seed]))
        left = self.random - self.explained @ (self.explained.T @ self.random)
        self.separable = noise is varying.between_runs
        self.high = varying.high_order if self.separable else noise
        self.held = float((left**2).sum()) / max(self.high.df, 1)
        size, vectors = np.linalg.eigh(self.random @ self.random.T)
        self.size, self.vectors = size.clip(min=0), vectors

    def infer(self, fixed: Array, arms: Array, codes: Codes) -> Inference:
        """Inference on contrasts: `fixed` (q, p) of the known columns, `arms` (q, a) of arms with `codes` (a, k)."""
        random = arms @ high_order(codes)
        columns = self.values.reshape(len(self.values), -1)
        results = [self._column(j, columns[:, j], fixed, random) for j in range(columns.shape[1])]
        effect, error, df = (
            np.stack(parts, axis=1).reshape(len(fixed), *self.values.shape[1:]) for parts in zip(*results, strict=True)
        )
        scale = np.where(np.isnan(effect).reshape(len(fixed), -1)[:, 0], np.nan, self._scale(fixed, random))
        return Inference(effect, scale, error, df)

    def _column(self, j: int, y: Array, fixed: Array, random: Array) -> tuple[Array, Array, Array]:
        noise = float(np.atleast_1d(self.noise.value)[j])
        high = float(np.atleast_1d(self.high.value)[j])
        each = np.full(len(y), noise)
        if not self.separable:
            spread = noise / len(y)
        else:
            upper = high * self.high.df / special.chdtri(self.high.df, 1 - UPPER)
            spread = max(0.0, (upper - noise) / self.held)
            if self.groups[j] >= 0:
                each = self._each(j, noise)
        weights = self._weights(each, spread, fixed, random)
        missed = ((weights @ self.random - random) ** 2).sum(axis=1)
        if self.separable:
            parts = [((weights**2) @ each, self.noise.df), (spread * missed, self.high.df)]
        else:
            parts = [(noise * np.maximum((weights**2).sum(axis=1), missed / self.held), self.noise.df)]
        parts.append((self._between_seeds(j, weights, noise), self.varying.pooled.df))
        variance = sum(part for part, _ in parts)
        spread_of = sum(part**2 / df for part, df in parts if df)
        with np.errstate(invalid="ignore", divide="ignore"):
            return weights @ y, np.sqrt(variance), variance**2 / spread_of

    def _between_seeds(self, j: int, weights: Array, noise: float) -> Array:
        """Variance that the terms' variation between seeds adds, beyond the noise."""
        varying = self.varying
        if not varying.pooled.df:
            return np.zeros(len(weights))
        total = np.zeros(len(weights))
        quiet = np.atleast_1d(varying.quiet)[j]
        loud = varying.stands_out.reshape(len(varying.by_seed), -1)[:, j]
        for t, columns in enumerate(varying.by_seed):
            found = (
                (float(np.atleast_1d(varying.own[t].value)[j]), varying.own[t].holds)
                if loud[t]
                else (float(quiet), varying.pooled.holds)
            )
            total += max(0.0, found[0] - noise) / found[1] * ((weights @ columns) ** 2).sum(axis=1)
        return total

    def _each(self, j: int, noise: float) -> Array:
        """The noise of every run, by the level of the factor by which it differs."""
        arms = np.unique(self.codes, axis=0, return_inverse=True)[1]
        space = basis(np.hstack([self.explained, np.eye(arms.max() + 1)[arms]]))
        y = self.values.reshape(len(self.values), -1)[:, j]
        left = y - space @ (space.T @ y)
        free = 1 - (space**2).sum(axis=1)
        each = np.full(len(y), noise)
        for level in np.unique(self.codes[:, self.groups[j]]):
            rows = self.codes[:, self.groups[j]] == level
            if free[rows].sum() > 1:
                each[rows] = (left[rows] ** 2).sum() / free[rows].sum()
        return each

    def _weights(self, each: Array, spread: float, fixed: Array, random: Array) -> Array:
        """Weights (q, n) of the runs in the best linear unbiased predictor."""
        if each.max() <= 0:
            each = np.ones_like(each)
        if (each == each[0]).all():
            scaled = self.vectors / (each[0] + spread * self.size)
            inverse_known = scaled @ (self.vectors.T @ self.known)
            inverse_random = scaled @ (self.vectors.T @ self.random)
        else:
            covariance = np.diag(each) + spread * (self.random @ self.random.T)
            solved = np.linalg.solve(covariance, np.hstack([self.known, self.random]))
            inverse_known, inverse_random = solved[:, : self.known.shape[1]], solved[:, self.known.shape[1] :]
        gram = np.linalg.pinv(self.known.T @ inverse_known, hermitian=True)
        least = gram @ inverse_known.T  # (p, n): generalised least squares
        shrunk = spread * inverse_random.T  # (u, n)
        return np.asarray(fixed @ least + random @ (shrunk - (shrunk @ self.known) @ least))

    def _scale(self, fixed: Array, random: Array) -> Array:
        weights = self._weights(np.ones(len(self.codes)), 1 / len(self.codes), fixed, random)
        return np.asarray(np.sqrt((weights**2).sum(axis=1)))


def high_order(codes: Codes) -> Array:
    """Columns (n, u) of -1 and +1 of all contrasts of three factors and more."""
    signs = np.where(codes > 0, 1.0, -1.0)
    k = signs.shape[1]
    sets = [chosen for size in range(3, k + 1) for chosen in combinations(range(k), size)]
    return np.column_stack([signs[:, chosen].prod(axis=1) for chosen in sets]) if sets else np.zeros((len(signs), 0))
