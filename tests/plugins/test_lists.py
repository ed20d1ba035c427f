"""`reid list` and `reid schema` know what is built in and what plugins register."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reid.cli.app import app
from tests.plugins.conftest import EXAMPLES

OWN = {
    "trick": ("tricks", "weight_average", "bnneck"),
    "backbone": ("backbones", "tiny_depthwise", "resnet50"),
    "loss": ("losses", "arcface", "triplet"),
    "layout": ("layouts", "person_folders", "market1501"),
    "metric": ("metrics", "mAP_worst_camera", "mAP"),
}


def shown(*words: str | Path) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("kind", OWN)
def test_what_is_registered_is_listed_with_its_origin(kind: str) -> None:
    plural, own, built_in = OWN[kind]
    file = EXAMPLES / f"my_{kind}.py"
    rows: list[dict[str, Any]] = json.loads(shown("list", plural, "--json", "--plugin", file))
    origins = {row[kind]: row["from"] for row in rows}
    assert origins[own] == str(file)
    assert origins[built_in] == ""
    assert own in shown("list", plural, "--plugin", file)


def test_fields_are_listed_with_what_they_may_hold() -> None:
    rows = {row["field"]: row for row in json.loads(shown("list", "fields", "--json"))}
    assert rows["triplet.margin"]["values"] == "number ≥ 0 | soft"
    assert rows["backbone.last_stride"]["values"] == "1 | 2"
    assert rows["schedule.milestones"]["default"] == "[40, 70]"
    assert "losses.arcface.margin" in shown("list", "fields", "--plugin", EXAMPLES / "my_loss.py")


@pytest.mark.parametrize("kind", ["grid", "study", "recipe"])
def test_a_schema_offers_registered_names(kind: str) -> None:
    schema = json.loads(shown("schema", kind, "--plugin", EXAMPLES / "my_loss.py"))
    recipe = schema if kind == "recipe" else schema["$defs"]["Recipe"]
    assert list(recipe["properties"]["losses"]["properties"]) == ["arcface"]
    if kind == "grid":
        offered = schema["properties"]["factors"]["properties"]
        assert {"bnneck", "triplet.margin", "losses.arcface.margin"} <= offered.keys()
