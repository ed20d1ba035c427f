"""Grids of numbers with a known truth, from a model that knows nothing of any estimator.

A run's value is the mean of its arm, a shift of its seed, what the tricks do otherwise in this seed, and noise.
"""

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from reid.statistics.factor_coding import Codes, Coding
from reid.statistics.least_squares import Array
from reid.statistics.linear_model import Analysis

K = 6
SIX = Coding(tuple("abcdef"), (("off", "on"),) * K)
ARMS = np.array(list(product((0, 1), repeat=K)), dtype=np.int64)
MAIN = (0.5, -0.3, 0.2, 0.0, 0.0, 0.0)
GRIDS = 1000
# E = ABC, F = BCD, and the cosets: quarters of resolution IV.
QUARTERS = [ARMS[((ARMS[:, [0, 1, 2, 4]].sum(1) % 2) == a) & ((ARMS[:, [1, 2, 3, 5]].sum(1) % 2) == b)]
            for a, b in ((0, 0), (1, 1), (0, 1), (1, 0))]  # fmt: skip


@dataclass(frozen=True)
class World:
    """What nature does, in standard deviations of a run: `tau` of a trick's effect between seeds, `loud` in place of
    it for one trick, `high_order` of the joint effects of three tricks and more. `noisy` multiplies the noise of arms
    with the last trick on; `heavy` draws it from t with three degrees of freedom; a share `missing` of runs is lost.
    """

    tau: float = 0.0
    loud: float | None = None
    high_order: float = 0.0
    noisy: float = 1.0
    heavy: bool = False
    missing: float = 0.0
    main: tuple[float, ...] = MAIN


@dataclass(frozen=True)
class Simulated:
    """The analysis of so many grids, and the truth of each: means (64, grids) of the arms in the order of ARMS."""

    analysis: Analysis
    means: Array

    def gain(self, arm: str, other: str) -> Array:
        return np.asarray(self.means[int(arm, 2)] - self.means[int(other, 2)])


def full(seeds: int) -> tuple[Codes, Codes]:
    """Arms and seeds of the full factorial with so many seeds."""
    return np.tile(ARMS, (seeds, 1)), np.repeat(np.arange(seeds), len(ARMS))


def batches(count: int) -> tuple[Codes, Codes]:
    """Arms and seeds of so many quarters, each with a seed of its own."""
    return np.vstack([QUARTERS[i % 4] for i in range(count)]), np.repeat(np.arange(count), 16)


def simulate(design: tuple[Codes, Codes], world: World, grids: int = GRIDS, random_seed: int = 0) -> Simulated:
    random = np.random.default_rng(random_seed)
    codes, seeds = design
    if world.missing:
        keep = np.sort(random.permutation(len(codes))[round(world.missing * len(codes)) :])
        codes, seeds = codes[keep], seeds[keep]
    place = codes @ (1 << np.arange(K)[::-1])
    means = (
        (ARMS @ np.array(world.main))[:, None] + _joint(2, 0.4, random, 1) + _joint(3, world.high_order, random, grids)
    )
    spread = np.full(K, world.tau)
    if world.loud is not None:
        spread[2] = world.loud
    by_seed = random.normal(size=(seeds.max() + 1, K, grids)) * spread[:, None]
    shift = random.normal(0, 2, size=(seeds.max() + 1, grids))
    size = (len(codes), grids)
    noise = random.standard_t(3, size) / np.sqrt(3) if world.heavy else random.normal(size=size)
    noise *= np.where(codes[:, -1:] == 1, world.noisy, 1.0)
    values = means[place] + shift[seeds] + np.einsum("nt,ntg->ng", codes - 0.5, by_seed[seeds]) + noise
    return Simulated(Analysis(SIX, codes, seeds, values), np.broadcast_to(means, (64, grids)))


def _joint(at_least: int, size: float, random: np.random.Generator, grids: int) -> Array:
    """What tricks do together, (64, grids): pairs alone, or all sets of three and more."""
    sizes = (2,) if at_least == 2 else range(3, K + 1)
    signs = np.where(ARMS > 0, 1.0, -1.0)
    sets = [chosen for count in sizes for chosen in combinations(range(K), count)]
    columns = np.column_stack([signs[:, chosen].prod(axis=1) for chosen in sets])
    return np.asarray(columns @ random.normal(0, size / 8, size=(len(sets), grids)))
