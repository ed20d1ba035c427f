"""How much a factor's effect varies from seed to seed, and what that adds to the error of an estimate.

The runs of one seed are repeated looks at that seed's effect of a factor, so what is left over between runs understates
the error of a main effect. The variation is measured by the seed x factor mean square, pooled over the factors; from
four seeds on a factor whose own mean square stands out has its own. The test of that is lenient, the more so the fewer
seeds: with one loud factor among six some factor is falsely called in 5-7 % of grids of four seeds, 5-6 % of five, 5 %
of eight, where a level of 1 % gives 12, 11 and 7 %. Without a loud one it costs power: 0.93 becomes 0.79 at five seeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from reid.statistics.least_squares import Array, basis

OWN_FROM_SEEDS = 4
STANDS_OUT = 0.8  # over the seeds: level of the F test of a factor's mean square against the others'
LEAVES_POOL = 0.01  # level at which the others are no longer pooled with it


@dataclass(frozen=True)
class MeanSquare:
    """A mean square () or (m,), its degrees of freedom, and how often it holds the variance it is there to show."""

    value: Array
    df: float
    holds: float


class SeedByTrick:
    """Mean squares of values (n,) or (n, m) left over after `known` (n, p): seed x term, arms, and between runs.

    `blocks` (n, seeds) are the seeds, `main` (n, terms) the columns of the terms, `arms` (n, arms) the arms. A term's
    variance between seeds is held `holds` times by its mean square, beside the noise once. Not `lenient`, a factor has
    to stand out at 1 % to have a mean square of its own.
    """

    def __init__(
        self, known: Array, blocks: Array, main: Array, arms: Array, values: Array, lenient: bool = True
    ) -> None:
        self.stands_out_at = STANDS_OUT / max(blocks.shape[1], 1) if lenient else LEAVES_POOL
        self.by_seed = np.einsum("ns,nt->tns", blocks, main)  # (terms, n, seeds)
        space = basis(known)

        def outside(x: Array, *spaces: Array) -> Array:
            for q in spaces:
                x = x - q @ (q.T @ x)
            return x

        free = [outside(columns, space) for columns in self.by_seed]
        varying = basis(np.hstack(free)) if free else np.zeros((len(values), 0))
        between = basis(outside(arms, space, varying))
        left = outside(values, space)

        def square(q: Array, held: float) -> MeanSquare:
            df = q.shape[1]
            value = ((q.T @ left) ** 2).sum(axis=0) / df if df else np.full(values.shape[1:], np.nan)
            return MeanSquare(np.asarray(value), df, held / df if df else 0.0)

        self.pooled = square(varying, sum(float((columns**2).sum()) for columns in free))
        self.high_order = square(between, 0.0)
        rest = outside(left, varying, between)
        df = len(values) - space.shape[1] - varying.shape[1] - between.shape[1]
        self.between_runs = MeanSquare(
            (rest**2).sum(axis=0) / df if df else np.full_like(self.pooled.value, np.nan), df, 0
        )
        # Pooled over the terms that do not stand out: all, until told otherwise.
        self.quiet, self.quiet_df = self.pooled.value, np.full(values.shape[1:], float(self.pooled.df))
        self.own: list[MeanSquare] = []
        self.stands_out = np.zeros((len(free), *values.shape[1:]), dtype=bool)
        if blocks.shape[1] >= OWN_FROM_SEEDS and len(free) > 1:
            for t in range(len(free)):
                others = basis(np.hstack(free[:t] + free[t + 1 :]))
                alone = outside(free[t], others)
                self.own.append(square(basis(alone), float((alone**2).sum())))
            self._tell_apart()

    def _tell_apart(self) -> None:
        """Which terms vary more than the others; the largest first, and what stands out is not pooled any more."""
        df = np.array([own.df for own in self.own], dtype=float)
        total = self.pooled.value * self.pooled.df
        sums = np.array([own.value * own.df for own in self.own]).reshape(len(df), -1)
        pool, pool_df = np.atleast_1d(total).astype(float).copy(), np.full(sums.shape[1], self.pooled.df, dtype=float)
        gone = np.zeros(sums.shape, dtype=bool)
        with np.errstate(invalid="ignore", divide="ignore"):
            for _ in range(len(df) - 1):
                others, others_df = pool - sums, pool_df - df[:, None]
                ratio = np.where(gone, -np.inf, (sums / df[:, None]) / (others / others_df))
                top = np.argmax(np.nan_to_num(ratio, nan=-np.inf), axis=0)
                column = np.arange(sums.shape[1])
                p = special.fdtrc(df[top], others_df[top, column], ratio[top, column])
                loud = (df[top] >= OWN_FROM_SEEDS - 1) & (others_df[top, column] > 0) & (p < LEAVES_POOL)
                gone[top[loud], column[loud]] = True
                pool[loud] -= sums[top[loud], column[loud]]
                pool_df[loud] -= df[top[loud]]
            others, others_df = pool - np.where(gone, 0, sums), pool_df - np.where(gone, 0, df[:, None])
            p = special.fdtrc(df[:, None], others_df, (sums / df[:, None]) / (others / others_df))
            out = gone | ((df[:, None] >= OWN_FROM_SEEDS - 1) & (p < self.stands_out_at))
        self.stands_out = out.reshape(self.stands_out.shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            quiet = (pool / pool_df).reshape(self.pooled.value.shape)
        self.quiet, self.quiet_df = quiet, pool_df.reshape(self.pooled.value.shape)

    def between_seeds(self, noise: MeanSquare) -> Array:
        """The variance of a factor's effect from seed to seed, pooled, beyond the noise; 0 where it is not measured."""
        if not self.pooled.df or not noise.df:
            return np.zeros(self.pooled.value.shape)
        return np.asarray(np.clip(self.pooled.value - noise.value, 0, None) / self.pooled.holds)

    def error(self, weights: Array, noise: MeanSquare) -> tuple[Array, Array]:
        """Standard errors of weighted sums of the runs, and their degrees of freedom (Satterthwaite): (q,) or (q, m).

        `weights` (q, n); `noise` is the mean square of what is left over between runs. The variance is that of the
        noise, and for every term the variance of its effect between seeds as often as the weights hold it.
        """
        size = (weights**2).sum(axis=1)
        held = np.stack([((weights @ columns) ** 2).sum(axis=1) for columns in self.by_seed], axis=1)  # (q, terms)
        shape = (len(weights), *self.pooled.value.shape)
        wide = (slice(None), *[None] * (len(shape) - 1))
        parts: list[tuple[Array, Array]] = []  # variances and their degrees of freedom
        taken = np.zeros(shape)
        pooled = np.zeros(shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            for t in range(held.shape[1]):
                loud = self.stands_out[t]
                pooled += np.where(loud, 0, (held[:, t] / (size * self.pooled.holds))[wide])
                if self.own and loud.any():
                    own = self.own[t]
                    share = np.where(loud, (held[:, t] / (size * own.holds))[wide], 0)
                    parts.append((share * size[wide] * own.value, np.full(shape, float(own.df))))
                    taken += share
            df = np.broadcast_to(self.quiet_df, shape)
            parts.append((pooled * size[wide] * self.quiet, df))
            rest = np.clip(1 - taken - pooled, 0, None)
            if noise.df:
                parts.append((rest * size[wide] * noise.value, np.full(shape, float(noise.df))))
            else:  # nothing else is left over: the noise is no more than the mean square that holds it
                parts.append((rest * size[wide] * self.quiet, df))
            variance = sum(part for part, _ in parts)
            spread = sum(part**2 / part_df for part, part_df in parts)
            return np.sqrt(variance), np.asarray(variance**2 / spread)
