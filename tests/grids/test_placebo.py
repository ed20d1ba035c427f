"""A placebo costs no run, is no main effect and no pair, and switches random streams only."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from reid.errors import InputError
from reid.grids.grid import Grid, read_grid

SIX = "warmup: {epochs: 2}\n  random_erasing:\n  label_smoothing:\n  last_stride:\n  bnneck:\n  center_loss:"
FIVE = SIX.replace("\n  center_loss:", "")


def grid_of(folder: Path, factors: str, design: str) -> Grid:
    file = folder / "g.yaml"
    head = "name: g\ndataset: {name: tiny, root: data/tiny}\n"
    file.write_text(f"{head}factors:\n  {factors}\n  placebo:\ndesign: {design}\nmatters: 0.5\n")
    return read_grid(file, {})


@pytest.mark.parametrize(
    ("factors", "design", "arms"),
    [(SIX, "full", 64), (SIX, "half", 32), (SIX, "quarter", 16), (SIX, "blocks", 64)],
)
def test_a_placebo_costs_no_run_and_is_no_effect_of_others(
    tmp_path: Path, factors: str, design: str, arms: int
) -> None:
    grid = grid_of(tmp_path, factors, design)
    assert len(grid.arms) == arms
    assert not grid.arms[0].placebo
    portions = grid.batches.fractions if grid.batches else [grid.arms]
    for portion in portions:
        signs = np.array([[1 - 2 * int(digit) for digit in arm.name] for arm in portion])
        placebo = np.array([1 - 2 * arm.placebo for arm in portion])
        columns = [*signs.T, *(signs[:, a] * signs[:, b] for a, b in combinations(range(signs.shape[1]), 2))]
        assert placebo.sum() == 0
        assert max(abs(int(placebo @ column)) for column in columns) == 0


def test_it_is_the_product_of_all_in_every_combination(tmp_path: Path) -> None:
    for arm in grid_of(tmp_path, SIX, "full").arms:
        assert arm.placebo == (arm.name.count("1") % 2 == 1)
        assert arm.recipe.streams.variant == int(arm.placebo)
        assert "placebo" not in arm.levels


@pytest.mark.parametrize(
    ("factors", "design", "message"),
    [
        (
            "warmup:\n  bnneck:",
            "full",
            "factors.placebo: a placebo is switched with a product of three factors or more",
        ),
        (FIVE, "half", "factors.placebo: a placebo is switched with a product"),
        (SIX, "ladder", "factors.placebo: a placebo is switched"),
        ("bnneck:\n  streams.variant: [0, 1]", "full", "both set streams.variant"),
    ],
)
def test_a_placebo_that_would_cost_runs_is_refused(tmp_path: Path, factors: str, design: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid_of(tmp_path, factors, design)
