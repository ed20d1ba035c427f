"""Grids that write out their arms, or the levels of a factor."""

from pathlib import Path

import pytest

from reid.errors import InputError
from reid.grids.grid import Grid, read_grid

HEAD = "name: list\ndataset: {name: tiny, root: data/tiny}\n"
ARMS = """\
arms:
  both: {}
  ID only: {fields: {triplet.weight: 0}}
  strong: {tricks: {bnneck: , center_loss: {weight: 0.001}}, fields: {triplet.margin: soft}}
"""


def grid(folder: Path, text: str) -> Grid:
    file = folder / "grid.yaml"
    file.write_text(HEAD + text)
    return read_grid(file, {})


def test_an_arm_a_level_of_one_factor(tmp_path: Path) -> None:
    made = grid(tmp_path, ARMS)
    assert [(arm.name, arm.levels) for arm in made.arms] == [
        ("0", {"variant": "both"}), ("1", {"variant": "ID only"}), ("2", {"variant": "strong"})
    ]  # fmt: skip
    base, only, strong = (arm.recipe for arm in made.arms)
    assert base == made.spec.recipe
    assert only == base.set({"triplet.weight": 0})
    assert strong.neck.kind == "bnneck"
    assert (strong.center.weight, strong.triplet.margin) == (0.001, "soft")
    assert len(made.runs(dict.fromkeys(made.spec.sources, "content"))) == 3


def test_a_factor_of_written_out_levels_crosses_with_others(tmp_path: Path) -> None:
    made = grid(
        tmp_path,
        "factors:\n  backbone.name: [resnet50, resnet18, resnet34]\n"
        "  two_tricks: {off: {}, on: {tricks: {bnneck: , center_loss: {weight: 0.001}}}}\n",
    )
    assert [arm.name for arm in made.arms] == ["00", "01", "10", "11", "20", "21"]
    assert made.arms[3].levels == {"backbone.name": "resnet18", "two_tricks": "on"}
    recipe = made.arms[3].recipe
    assert (recipe.backbone.name, recipe.neck.kind, recipe.center.weight) == ("resnet18", "bnneck", 0.001)
    assert made.factors[1].title == "Two tricks"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("factors: {mine: {off: {}, on: {tricks: {bnnek: }}}}\n", r"factors\.mine\.on\.tricks\.bnnek: no such trick"),
        ("factors: {mine: {on: {tricks: {bnneck: }}}}\n", r"factors\.mine: no such trick or recipe field"),
        ("factors: {mine: {off: {}, on: {trick: {}}}}\n", r"factors\.mine.*did you mean .tricks.\?"),
        (ARMS + "factors: {bnneck: }\n", "either `factors` or `arms`"),
        ("seeds: [0]\n", "either `factors` or `arms`"),
        ("arms: {one: {}}\n", "two or more"),
        ("arms: {one: {}, two: {tricks: {bnnek: }}}\n", r"bnnek: no such trick 'bnnek'; did you mean 'bnneck'"),
        ("arms: {one: {}, two: {tricks: {warmup: {epoch: 2}}}}\n", r"arms\.two\.tricks\.warmup\.epoch: unknown knob"),
        ("arms: {one: {}, two: {fields: {triplet.wight: 0}}}\n", r"arms\.two\.fields\.triplet\.wight: unknown"),
        ("arms: {one: {}, two: {fields: {triplet.weight: -1}}}\n", r"arms\.two\.fields: triplet\.weight: .*found -1"),
        ("arms: {one: {}, two: {}}\n", "every arm needs a recipe of its own"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        grid(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_the_experiments_arms_are_the_papers() -> None:
    made = read_grid(Path(__file__).parents[2] / "experiments" / "bnneck.yaml", {})
    weights = {arm.levels["variant"]: (arm.recipe.id_loss.weight, arm.recipe.triplet.weight) for arm in made.arms}
    assert weights["ID loss only"] == (1, 0)
    assert weights["triplet loss only"] == (0, 1)
    assert len(made.arms) == 5
    assert len(made.spec.seeds) >= 3
