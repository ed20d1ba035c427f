"""Arms that follow a fraction up: they tell apart what its results hang on, and stay part of the grid."""

from pathlib import Path

import numpy as np
import pytest

from reid.errors import InputError
from reid.grids.designs.design import Factor, Level, full_factorial, select
from reid.grids.designs.follow_up import follow_up
from reid.grids.follow_up import followed_up, with_arms_of
from reid.grids.grid import read_grid
from reid.recipe import Recipe
from reid.statistics.factor_coding import Coding
from reid.statistics.least_squares import Fit
from reid.store.plan import read_plan
from tests.helpers.grids_on_disk import TRICK_FACTORS, MakeGrid

SIX = Coding(tuple("abcdef"), (("off", "on"),) * 6)
TRICKS = "warmup: , random_erasing: , label_smoothing: , last_stride: , bnneck: , center_loss: "


def switches() -> list[Factor]:
    return [Factor(name, name, name, (Level("off", {}), Level("on", {}))) for name in "abcdef"]


@pytest.mark.parametrize(("group", "confounded", "arms"), [((0, 2), 2, 8), ((0, 1), 3, 16)])
def test_half_a_foldover_tells_two_pairs_apart_and_two_of_them_three(
    group: tuple[int, int], confounded: int, arms: int
) -> None:
    factors = switches()
    every = full_factorial(Recipe(), factors)
    fraction = select(every, factors, "quarter")
    codes = np.array([[int(digit) for digit in arm.name] for arm in fraction])
    columns = np.sign(SIX.model(codes))
    aliased = [i for i in range(6, 21) if abs(columns[:, i] @ columns[:, 6 + SIX.pairs.index(group)]) == len(codes)]
    assert len(aliased) == confounded
    added = follow_up(fraction, every, SIX, aliased)
    assert len(added) <= arms
    union = np.array([[int(digit) for digit in arm.name] for arm in [*fraction, *added]])
    x = np.hstack([np.ones((len(union), 1)), SIX.model(union)])
    assert not np.isnan(Fit(x, np.zeros(len(union))).scale(np.eye(22)[1:])[aliased]).any()


def grid_file(folder: Path, design: str = "quarter") -> Path:
    file = folder / "demo.yaml"
    file.write_text(
        f"name: demo\ndataset: {{name: tiny, root: data}}\nfactors: {{{TRICKS}}}\ndesign: {design}\nseeds: [0, 1, 2]\n"
    )
    return file


def test_a_grid_is_followed_up_where_a_sum_of_pairs_is_sure(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = read_grid(grid_file(tmp_path), {})
    kept = {arm.name for arm in grid.arms}
    # Two pairs of the fabricated truth are large: REA x BN and WU x BN.
    folder = make_grid(keep=lambda arm: arm in kept, seeds=(0, 1, 2), design="quarter", noise=0.0005, iterations=0)
    more, why = followed_up(grid, folder)
    assert len(more.arms) == 24
    assert len(more.follow_up) == 8
    assert why.startswith("--follow-up: 8 arms tell ")
    plan = read_plan(folder).plan.model_copy(update={"follow_up": more.follow_up})
    assert [arm.name for arm in with_arms_of(grid, plan).arms] == [arm.name for arm in more.arms]


def test_noise_asks_for_nothing(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = read_grid(grid_file(tmp_path), {})
    kept = {arm.name for arm in grid.arms}
    folder = make_grid(keep=lambda arm: arm in kept, seeds=(3, 4, 5), design="quarter", noise=0.05, iterations=0)
    same, why = followed_up(grid, folder)
    assert same is grid
    assert "no sum of confounded effects is told from 0" in why


def test_a_grid_that_confounds_nothing_is_refused(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = read_grid(grid_file(tmp_path, "full"), {})
    with pytest.raises(InputError, match="nothing is confounded"):
        followed_up(grid, make_grid(factors=TRICK_FACTORS, design="full", iterations=0))
    with pytest.raises(InputError, match="has no plan; train the grid first"):
        followed_up(grid, tmp_path / "elsewhere")
