from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.errors import InputError
from reid.grids.grid import read_grid
from reid.grids.grid_file import GridFile
from reid.recipe import Recipe
from reid.recipe.overrides import parse_assignments, set_fields
from reid.recipe.yaml import load, parse

GRID = """\
name: g
dataset: {name: d, root: data}
recipe:
  schedule: {base: 1e-4, milestones: [], epochs: 010}
factors:
  warmup: {epochs: 2}
  bnneck:
seeds: [0]
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "g.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("on", "on"), ("no", "no"), ("010110", 10110), ("true", True), ("~", None), ("1.5", 1.5)],
)
def test_yaml_1_2_scalars(text: str, value: object) -> None:
    assert parse(text) == value
    assert type(parse(text)) is type(value)


def test_a_grid_is_read(tmp_path: Path) -> None:
    grid = load(write(tmp_path, GRID), GridFile)
    assert grid.recipe.schedule.base == 1e-4
    assert grid.recipe.schedule.epochs == 10
    assert grid.factors == {"warmup": {"epochs": 2}, "bnneck": None}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("base: 1e-4", "bsae: 1e-4", r"g\.yaml:4: recipe\.schedule\.bsae: unknown key; did you mean 'base'\?"),
        ("epochs: 010", "epochs: many", r"g\.yaml:4: recipe\.schedule\.epochs: .*integer.*, found 'many'"),
        ("epochs: 010", "epochs: 0", r"g\.yaml:4: recipe\.schedule\.epochs: .*greater than or equal to 1, found 0"),
        ("seeds: [0]", "seeds: []", r"g\.yaml:8: seeds: .*at least 1"),
        ("seeds: [0]", "seeds: [0, 0]", r"seeds: each seed once, found \[0, 0\]"),
        ("name: g\n", "", r"g\.yaml:1: name: Field required"),
        ("bnneck:", "bnnek:", r"factors\.bnnek: no such trick or recipe field; did you mean 'bnneck'\?"),
        ("{epochs: 2}", "{epoch: 2}", r"factors\.warmup\.epoch: unknown knob; did you mean 'epochs'\?"),
        ("{epochs: 2}", "{epochs: 2.5}", r"factors\.warmup: schedule\.warmup_epochs: .*integer.*, found 2\.5"),
        ("{epochs: 2}", "[1, 2]", r"factors\.warmup: a trick takes knobs"),
        ("bnneck:", "triplet.margin: [0.3]", r"factors\.triplet\.margin: a recipe field needs a list of two or more"),
        ("bnneck:", "triplet.margin: [0.3, -1]", r"factors: triplet\.margin"),
        (
            "epochs: 010}",
            "epochs: 10, warmup_epochs: 2}",
            r"every arm needs a recipe of its own, but warmup changes nothing in arm 10",
        ),
        ("seeds: [0]", "design: third", r"g\.yaml:8: design: .*'full', 'half'.*, found 'third'"),
        ("seeds: [0]", "design: half", r"design: no fraction 1/2 of 2 factors tells main effects apart"),
        ("seeds: [0]", "exclude: [{bnnek: on}]", r"exclude\.0: no such factor; did you mean 'bnneck'\?"),
        ("seeds: [0]", "exclude: [{bnneck: yes}]", r"exclude\.0\.bnneck: no such level; known: off, on"),
        (
            "seeds: [0]",
            "exclude: [{bnneck: on}, {warmup: on}]",
            r"exclude: a grid needs two or more arms, 1 of 4 are left",
        ),
        ("seeds: [0]", "seeds: [0", r"g\.yaml:\d: not valid YAML"),
        ("seeds: [0]", "name: h", r"g\.yaml:8: not valid YAML: key 'name' is given twice"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GRID
    with pytest.raises(InputError, match=message) as error:
        read_grid(write(tmp_path, GRID.replace(old, new)), {})
    assert "\n" not in str(error.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read"):
        load(tmp_path / "nowhere.yaml", GridFile)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8 text"):
        load(tmp_path / "b.yaml", GridFile)
    with pytest.raises(InputError, match="must be a mapping of keys to values, found list"):
        load(write(tmp_path, "- 1"), GridFile)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "g.yaml"
    file.write_text(text, encoding="utf-8", errors="replace", newline="")
    with pytest.raises(InputError) as error:
        load(file, GridFile)
    assert "\n" not in str(error.value)


def test_assignments() -> None:
    assert parse_assignments(["schedule.epochs=3", "triplet.margin=soft"]) == {
        "schedule.epochs": 3,
        "triplet.margin": "soft",
    }
    with pytest.raises(
        InputError, match=r"--set schedule\.epoch: unknown recipe field; did you mean 'schedule\.epochs'\?"
    ):
        parse_assignments(["schedule.epoch=3"])
    with pytest.raises(InputError, match="must be FIELD=VALUE"):
        parse_assignments(["schedule.epochs"])
    with pytest.raises(InputError, match=r"--set batch\.identities: .*greater than or equal to 2, found 1"):
        set_fields(Recipe(), {"batch.identities": 1}, "--set")
