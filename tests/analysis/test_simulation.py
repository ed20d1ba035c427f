"""Every estimator on 2,000 simulated grids with a known truth: intervals cover it, planted effects are found."""

from collections.abc import Callable

import numpy as np
import pytest

from reid.analysis.ladder import alone, away, steps
from reid.analysis.shapley import shapley_contrasts
from reid.statistics.factor_coding import Codes, Coding
from reid.statistics.least_squares import Array, Inference, holm
from reid.statistics.linear_model import Analysis

pytestmark = pytest.mark.slow

GRIDS = 2000
MANY = 20000  # for a share of 5 %, whose standard error is then 0.15 %
SIX = Coding(tuple("abcdef"), (("off", "on"),) * 6)
FULL = SIX.every_arm()
HALF = FULL[FULL.sum(axis=1) % 2 == 0]
QUARTER = FULL[
    (FULL[:, [0, 1, 2, 4]].sum(axis=1) % 2 == 0) & (FULL[:, [1, 2, 3, 5]].sum(axis=1) % 2 == 0)
]  # E = ABC, F = BCD: resolution IV
MAIN = np.array([0.5, -0.3, 0.2, 0.0, 0.0, 0.0])
PAIR = {(0, 1): 0.6, (3, 4): -0.8}  # what both together add


def mean(codes: Codes, pairs: bool = True) -> Array:
    """The true means of arms: additive, and two pairs."""
    joint = sum(size * codes[:, i] * codes[:, j] for (i, j), size in PAIR.items()) if pairs else 0.0
    return np.asarray(codes @ MAIN + joint)


def simulate(arms: Codes, seeds: int, pairs: bool = True, truth: bool = True, grids: int = GRIDS) -> Analysis:
    """So many grids of these arms, seed shifts of standard deviation 2, noise of standard deviation 1."""
    random, n = np.random.default_rng(seeds + len(arms)), len(arms)
    shift = np.repeat(random.normal(0, 2, size=(seeds, grids)), n, axis=0)
    values = shift + random.normal(size=(seeds * n, grids))
    if truth:
        values += np.tile(mean(arms, pairs), seeds)[:, None]
    return Analysis(SIX, np.tile(arms, (seeds, 1)), np.repeat(np.arange(seeds), n), values)


def coverage(found: Inference, truth: Array) -> float:
    inside = (found.low <= truth[:, None]) & (truth[:, None] <= found.high)
    return float(inside.mean())


def effect(codes: Codes, factor: int) -> float:
    """A factor's true mean gain over the full factorial."""
    on = codes[:, factor] == 1
    return float(mean(codes[on]).mean() - mean(codes[~on]).mean())


def gains(arms: list[tuple[str, str]]) -> Array:
    """True differences of pairs of arms."""
    codes = [np.array([[int(bit) for bit in arm] for arm in side]) for side in zip(*arms, strict=True)]
    return mean(codes[0]) - mean(codes[1])


TRUE_MAIN = np.array([effect(FULL, i) for i in range(6)])
TRUE_PAIRS = np.array([PAIR.get(pair, 0.0) / 2 for pair in SIX.pairs])
ADDED = [("0" * i + "1" + "0" * (5 - i), "000000") for i in range(6)]
TAKEN = [("111111", "1" * i + "0" + "1" * (5 - i)) for i in range(6)]
RUNGS = [("1" * (i + 1) + "0" * (5 - i), "1" * i + "0" * (6 - i)) for i in range(6)]
SINGLE = {"away": (away, TAKEN), "alone": (alone, ADDED), "step": (steps, RUNGS)}


@pytest.mark.parametrize("arms", [FULL, HALF], ids=["full", "half"])
def test_main_effects_and_interactions_cover_the_truth(arms: Codes) -> None:
    analysis = simulate(arms, seeds=2)
    assert 0.93 <= coverage(analysis.infer_main(), TRUE_MAIN) <= 0.97
    assert 0.93 <= coverage(analysis.infer_pairs(), TRUE_PAIRS) <= 0.97


def test_main_effects_of_a_quarter_cover_the_truth_and_aliased_pairs_are_nan() -> None:
    analysis = simulate(QUARTER, seeds=3)
    assert 0.93 <= coverage(analysis.infer_main(), TRUE_MAIN) <= 0.97
    assert np.isnan(analysis.infer_pairs().effect).all()  # resolution IV: every pair has an alias


def test_shapley_values_cover_the_truth_and_sum_to_all_minus_none() -> None:
    found = simulate(FULL, seeds=2).infer_cells(shapley_contrasts(6))
    # What a pair adds is shared by the two.
    truth = MAIN + np.array([sum(size / 2 for pair, size in PAIR.items() if i in pair) for i in range(6)])
    assert 0.93 <= coverage(found, truth) <= 0.97
    assert truth.sum() == pytest.approx(mean(FULL)[-1] - mean(FULL)[0])


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("seeds", [2, 5])
def test_single_steps_cover_the_truth(name: str, seeds: int) -> None:
    infer, arms = SINGLE[name]
    assert 0.93 <= coverage(infer(simulate(FULL, seeds)), gains(arms)) <= 0.97


@pytest.mark.parametrize("name", SINGLE)
def test_designs_of_few_arms_cover_the_truth(name: str) -> None:
    """Leave-one-out, add-one-in and the ladder, each by its own seven arms and five seeds."""
    infer, pairs = SINGLE[name]
    arms = np.array([[int(bit) for bit in arm] for arm in sorted({arm for pair in pairs for arm in pair})])
    assert len(arms) == 7
    assert 0.93 <= coverage(infer(simulate(arms, seeds=5)), gains(pairs)) <= 0.97


def test_the_half_fraction_says_what_the_full_factorial_says() -> None:
    """Estimates differ by no more than their errors allow, and by nothing on average."""
    full, half = simulate(FULL, 2).infer_main(), simulate(HALF, 2).infer_main()
    gap = half.effect - full.effect
    error = np.hypot(2 / np.sqrt(128), 2 / np.sqrt(64))
    assert np.abs(gap.mean(axis=1)) == pytest.approx(np.zeros(6), abs=4 * error / np.sqrt(GRIDS))
    assert (np.abs(gap) < 1.96 * error).mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("arms", [FULL, HALF], ids=["full", "half"])
def test_planted_interactions_are_found_and_others_are_not(arms: Codes) -> None:
    found = simulate(arms, seeds=10, grids=MANY // 2).infer_pairs()
    called = np.apply_along_axis(holm, 0, found.p) < 0.05
    planted = TRUE_PAIRS != 0
    assert called[planted].mean() > (0.85 if len(arms) == 64 else 0.5)
    assert called[~planted].any(axis=0).mean() <= 0.05


def shapley_values(analysis: Analysis) -> Inference:
    return analysis.infer_cells(shapley_contrasts(6))


@pytest.mark.parametrize(
    "infer",
    [Analysis.infer_main, Analysis.infer_pairs, away, alone, steps, shapley_values],
    ids=["main", "pairs", "away", "alone", "steps", "shapley"],
)
def test_null_effects_are_called_in_at_most_5_percent(infer: Callable[[Analysis], Inference]) -> None:
    """Family-wise: in so many grids without any effect, at least one of the family is called."""
    p = infer(simulate(FULL, seeds=3, truth=False, grids=MANY)).p
    smallest = p.min(axis=0) * len(p)  # what Holm makes of the smallest
    assert holm(p[:, 0]).min() == pytest.approx(min(smallest[0], 1))
    assert (smallest < 0.05).mean() <= 0.05
