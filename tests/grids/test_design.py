from pathlib import Path

import numpy as np
import pytest

from reid.grids.designs.design import Design, field_factor, full_factorial, launch_order, select, trick_factor
from reid.recipe import Recipe
from reid.recipe.yaml import load
from reid.tricks import TRICKS

FACTORS = [trick_factor(trick, trick.apply(Recipe())) for trick in TRICKS.values()]


def test_full_factorial_of_the_six_tricks() -> None:
    arms = full_factorial(Recipe(), FACTORS)
    assert len(arms) == len({arm.recipe.signature() for arm in arms}) == len({arm.name for arm in arms}) == 64
    assert arms[0].name == "000000"
    assert arms[0].recipe == Recipe()
    everything = Recipe()
    for trick in TRICKS.values():
        everything = trick.apply(everything)
    assert arms[-1].name == "111111"
    assert arms[-1].recipe == everything
    by_name = {arm.name: arm for arm in arms}
    assert by_name["000010"].recipe == TRICKS["bnneck"].apply(Recipe())
    assert by_name["000010"].levels["bnneck"] == "on"


def test_a_recipe_field_is_a_factor_with_any_number_of_levels() -> None:
    factors = [
        field_factor("triplet.margin", [0.3, "soft", 0.5]),
        trick_factor(TRICKS["bnneck"], TRICKS["bnneck"].apply(Recipe())),
    ]
    arms = full_factorial(Recipe(), factors)
    assert [arm.name for arm in arms] == ["00", "01", "10", "11", "20", "21"]
    assert arms[3].recipe.triplet.margin == "soft"
    assert arms[3].levels == {"triplet.margin": "soft", "bnneck": "on"}


def test_launch_order_is_blocks_of_seeds_and_the_half_fraction_first() -> None:
    arms = full_factorial(Recipe(), FACTORS)
    order = launch_order(arms, [0, 1])
    assert [seed for _, seed in order] == [0] * 64 + [1] * 64
    assert order == launch_order(arms, [0, 1])
    assert [arm.name for arm, _ in order[:64]] != [arm.name for arm in arms]
    assert [arm.name for arm, _ in order[:64]] != [arm.name for arm, _ in order[64:]]
    half = np.array([[1 if digit == "1" else -1 for digit in arm.name] for arm, _ in order[:32]])
    assert (half.prod(1) == 1).all(), "I = ABCDEF"
    two_factor = [half[:, i] * half[:, j] for i in range(6) for j in range(i)]
    columns = np.column_stack([np.ones(32), half, *two_factor])
    np.testing.assert_array_equal(
        columns.T @ columns, 32 * np.eye(22)
    )  # main effects and pairs are clear of each other


@pytest.mark.parametrize("name", ["demo", "small"])
def test_the_grids_of_the_repository_have_64_arms(name: str) -> None:
    from reid.grids.grid import read_grid

    grid = read_grid(Path(__file__).parents[2] / "experiments" / f"{name}.yaml", {})
    assert len(grid.arms) == 64
    runs = grid.runs(dict.fromkeys(grid.spec.sources, "fingerprint"))
    assert len(runs) == len({signature for signature, _, _ in runs}) == {"demo": 64, "small": 192}[name]


@pytest.mark.parametrize(
    ("name", "arms", "runs"),
    [
        ("backbones", 14, 14),
        ("batch-size", 6, 18),
        ("image-size", 4, 12),
        ("cross-domain", 32, 96),
        ("feature-metric", 8, 24),
    ],
)
def test_the_grids_over_fields(name: str, arms: int, runs: int) -> None:
    from reid.grids.grid import read_grid

    grid = read_grid(Path(__file__).parents[2] / "experiments" / f"{name}.yaml", {})
    assert (len(grid.arms), len(grid.runs(dict.fromkeys(grid.spec.sources, "fingerprint")))) == (arms, runs)
    strong = load(Path(__file__).parents[2] / "experiments" / "recipes" / "strong-baseline.yaml", Recipe)
    if name in ("batch-size", "image-size"):
        assert grid.arms[0].recipe == strong.set({"backbone.pretrained": "imagenet"})


@pytest.mark.parametrize(
    ("design", "count", "some"),
    [
        ("full", 64, ["000000", "111111"]),
        ("half", 32, ["000000", "110000", "111111"]),
        ("quarter", 16, ["000000"]),
        ("ladder", 7, ["000000", "100000", "110000", "111000", "111100", "111110", "111111"]),
        ("add-one-in", 7, ["000000", "100000", "000001"]),
        ("leave-one-out", 7, ["111111", "011111", "111110"]),
    ],
)
def test_designs_of_the_six_tricks(design: Design, count: int, some: list[str]) -> None:
    names = [arm.name for arm in select(full_factorial(Recipe(), FACTORS), FACTORS, design)]
    assert len(names) == len(set(names)) == count
    assert set(some) <= set(names)


def test_a_fraction_is_crossed_with_every_level_of_the_other_factors() -> None:
    factors = [field_factor("triplet.margin", [0.3, "soft", 0.5]), *FACTORS[:4]]
    arms = select(full_factorial(Recipe(), factors), factors, "half")
    assert len(arms) == 3 * 8
    assert {arm.name[0] for arm in arms} == {"0", "1", "2"}
    with pytest.raises(ValueError, match=r"a ladder needs factors of two levels, triplet\.margin has more"):
        select(full_factorial(Recipe(), factors), factors, "ladder")
