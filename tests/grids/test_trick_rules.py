"""Tricks that require or conflict with others, and factors that set one field."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.grids.grid import Grid, read_grid
from reid.registry import activate

PLUGIN = """
import reid
reid.register_trick(reid.Trick(name="mine", short="M", title="Mine",
    card=reid.MethodCard(idea="", formula="", source="", cost="", interactions=""),
    settings={{"pooling.kind": "max"}}, requires={requires}, conflicts_with={conflicts}))
"""


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    yield
    activate([])


def grid(
    folder: Path,
    factors: str,
    requires: tuple[str, ...] = (),
    conflicts: tuple[str, ...] = (),
    design: str = "full",
) -> Grid:
    (folder / "mine.py").write_text(PLUGIN.format(requires=requires, conflicts=conflicts))
    file = folder / "grid.yaml"
    file.write_text(
        f"name: g\nplugins: [mine.py]\ndataset: {{name: d, root: d}}\nfactors: {{{factors}}}\ndesign: {design}\n"
    )
    return read_grid(file, {})


def arms(made: Grid) -> list[str]:
    return [arm.name for arm in made.arms]


@pytest.mark.parametrize(
    ("requires", "conflicts", "left", "rule"),
    [
        ((), (), ["00", "01", "10", "11"], None),
        (("bnneck",), (), ["00", "01", "11"], "mine requires bnneck"),
        ((), ("bnneck",), ["00", "01", "10"], "mine conflicts with bnneck"),
        (("neck.kind=bnneck",), (), ["00", "01", "11"], "mine requires neck.kind=bnneck"),
        ((), ("triplet.margin=0.3",), ["00", "01"], "mine conflicts with triplet.margin=0.3"),
    ],
)
def test_arms_that_break_a_rule_are_left_out(
    tmp_path: Path, requires: tuple[str, ...], conflicts: tuple[str, ...], left: list[str], rule: str | None
) -> None:
    made = grid(tmp_path, "mine: , bnneck: ", requires, conflicts)
    assert arms(made) == left
    assert set(made.left_out.values()) == ({rule} if rule else set())


def test_batches_are_of_every_combination(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"design: batches are .* and 1 break a rule, such as 10: mine requires bnneck;"
    ):
        grid(tmp_path, "mine: , bnneck: ", ("bnneck",), design="blocks")


def test_a_rule_that_leaves_too_little_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"factors: a grid needs two or more arms, 1 is left: mine requires bnneck"):
        grid(tmp_path, "mine: ", ("bnneck",))


def test_a_rule_of_a_trick_that_there_is_not_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"trick mine: requires: no such trick 'bnnek'; did you mean 'bnneck'\?"):
        grid(tmp_path, "mine: , bnneck: ", ("bnnek",))


def test_two_factors_that_set_one_field_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"factors\.mine and factors\.pooling\.kind: both set pooling\.kind"):
        grid(tmp_path, "mine: , pooling.kind: [average, gem]")
