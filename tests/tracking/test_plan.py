"""A plan is read as tracking needs it."""

import json
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.store.plan import ArmRecord, FactorRecord, Plan, planned_grids, read_plan
from tests.tracking.conftest import Fabric

PLAN = Plan(
    name="sizes",
    factors=(
        FactorRecord(name="bnneck", short="BN", title="BNNeck", levels=("off", "on")),
        FactorRecord(name="id_loss.weight", short="weight", title="id_loss.weight", levels=("1.0", "0.5", "2.0")),
        FactorRecord(name="triplet.weight", short="weight", title="triplet.weight", levels=("1.0", "0.0")),
    ),
    seeds=(0,),
    arms=(
        ArmRecord(arm="021", levels={"bnneck": "off", "id_loss.weight": "2.0", "triplet.weight": "0.0"}),
    ),
    runs=(),
)  # fmt: skip


def test_an_arm_has_the_positions_of_its_levels() -> None:
    assert [(level.factor.name, level.label, level.position) for level in PLAN.levels("021")] == [
        ("bnneck", "off", 0),
        ("id_loss.weight", "2.0", 2),
        ("triplet.weight", "0.0", 1),
    ]
    assert [level.factor.name for level in PLAN.switched("021")] == ["id_loss.weight", "triplet.weight"]


def test_factors_that_share_a_short_name_are_told_apart() -> None:
    assert list(PLAN.shorts.values()) == ["BN", "id_loss.weight", "triplet.weight"]


def test_grids_are_listed_oldest_first(fabric: Fabric) -> None:
    for name in ("b", "a"):
        fabric.grid(name=name, tricks=("bnneck",), seeds=(0,))
    assert [grid.plan.name for grid in planned_grids(fabric.output)] == ["a", "b"]
    file = fabric.output / "grids" / "a" / "plan.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"created": "2026-02-01T00:00:00+00:00"}))
    assert [grid.plan.name for grid in planned_grids(fabric.output)] == ["b", "a"]


def test_a_folder_without_a_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.json: a grid folder holds a plan\.json, found none"):
        read_plan(tmp_path)
