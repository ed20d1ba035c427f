"""A plan is read as tracking needs it."""

from pathlib import Path

import pytest

from reid.errors import InputError
from reid.store.plan_old import Grid, planned_grids, read_grid
from tests.tracking.conftest import Fabric

FACTORS = [
    {"name": "bnneck", "short": "BN", "title": "BNNeck", "levels": ["off", "on"]},
    {"name": "id_loss.weight", "short": "weight", "title": "id_loss.weight", "levels": ["1.0", "0.5", "2.0"]},
    {"name": "triplet.weight", "short": "weight", "title": "triplet.weight", "levels": ["1.0", "0.0"]},
]


def test_an_arm_has_the_positions_of_its_levels() -> None:
    levels = {"bnneck": "off", "id_loss.weight": "2.0", "triplet.weight": "0.0"}
    grid = Grid({"factors": FACTORS, "arms": [{"arm": "021", "levels": levels}]})
    assert [(factor["name"], level, position) for factor, level, position in grid.levels("021")] == [
        ("bnneck", "off", 0),
        ("id_loss.weight", "2.0", 2),
        ("triplet.weight", "0.0", 1),
    ]
    assert [factor["name"] for factor, _ in grid.switched("021")] == ["id_loss.weight", "triplet.weight"]


def test_factors_that_share_a_short_name_are_told_apart() -> None:
    assert [factor["short"] for factor in Grid({"factors": FACTORS}).factors] == [
        "BN",
        "id_loss.weight",
        "triplet.weight",
    ]


def test_grids_are_listed_oldest_first(fabric: Fabric) -> None:
    for name in ("b", "a"):
        fabric.grid(name=name, tricks=("bnneck",), seeds=(0,))
    plan = read_grid(fabric.output / "grids" / "b").plan
    assert [folder.name for folder in planned_grids(fabric.output)] == ["a", "b"]
    newer = (
        (fabric.output / "grids" / "a" / "plan.json").read_text().replace(plan["created"], "2026-02-01T00:00:00+00:00")
    )
    (fabric.output / "grids" / "a" / "plan.json").write_text(newer)
    assert [folder.name for folder in planned_grids(fabric.output)] == ["b", "a"]


def test_a_folder_without_a_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.json: a grid's folder holds a plan\.json, none found"):
        read_grid(tmp_path)
