"""What a stranger may write into a YAML file ends as one short line, within a second."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reid.cli.app import LONGEST, one_line
from reid.errors import InputError
from reid.grids.grid import read_grid
from reid.recipe.yaml import MOST_BYTES, parse

GRID = """\
name: {name}
dataset: {{name: d, root: d}}
factors: {factors}
recipe: {recipe}
"""
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, r"more than 20,000 values, aliases counted in"),
        ("a: &a [*a]", r"more than 20,000 values|unconstructable"),
        ("[" * 3000 + "]" * 3000, "nested more than 50 deep"),
        ("{a: " * 3000 + "}" * 3000, "nested more than 50 deep"),
        ("a: !!int abc", r"a whole number has at most 18 digits, found 'abc'"),
        ("a: " + "9" * 5000, r"a whole number has at most 18 digits, found '9+…"),
        ("a: !!float abc", "not a number: 'abc'"),
        ("a: 1e400", "a number must be finite, found '1e400'"),
        ('a: "\\ud800"', r"half of a character"),
        ("a: !!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_a_text_that_chokes_a_machine_is_refused(text: str, problem: str) -> None:
    began = time.monotonic()
    with pytest.raises(InputError, match=problem) as caught:
        parse(text, "grid.yaml")
    assert time.monotonic() - began < 5  # a second, on a machine that has nothing else to do
    assert len(one_line(str(caught.value))) <= LONGEST


def grid(folder: Path, name: str = "g", factors: str = "{warmup: , bnneck: }", recipe: str = "{}") -> Path:
    file = folder / "grid.yaml"
    file.write_text(GRID.format(name=name, factors=factors, recipe=recipe))
    return file


@pytest.mark.parametrize("name", [".", "..", "-x", ".hidden", "a/b", "n" * 101, '""'])
def test_a_name_that_is_no_folders_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"grid\.yaml:1: name: String should match pattern"):
        read_grid(grid(tmp_path, name=name), {})


@pytest.mark.parametrize(
    ("factors", "problem"),
    [
        (
            f"{{id_loss.weight: [{', '.join(str(n) for n in range(1, 41))}]}}",
            "id_loss.weight: at most 36 levels, found 40",
        ),
        ("{triplet.margin: [0.3, 0.30, soft]}", r"triplet\.margin: each level once, found 0\.3 again in place 2"),
        (
            "{schedule.epochs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], batch.images: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "
            "batch.identities: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11], augmentation.pad: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "
            "evaluation.batch: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], evaluation.max_rank: [1, 2]}",
            "factors: at most 100,000 combinations, found 200,000",
        ),
    ],
)
def test_factors_that_cannot_be_crossed_are_refused(tmp_path: Path, factors: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_grid(grid(tmp_path, factors=factors), {})


@pytest.mark.parametrize(
    ("recipe", "problem"),
    [
        ("{image: {size: [99999999, 16]}}", "less than or equal to 4096"),
        ("{backbone: {pretrained: {}}}", "valid string"),
        (f"{{{'k' * 900}: 1}}", "unknown key"),
        (f"{{neck: {{kind: {'v' * 2000}}}}}", "found 'v+…"),
    ],
)
def test_an_error_is_short(tmp_path: Path, recipe: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        read_grid(grid(tmp_path, recipe=recipe), {})
    assert len(one_line(str(caught.value).replace(str(tmp_path), ""))) <= LONGEST


def test_a_misspelt_key_is_answered_with_the_one_that_works(tmp_path: Path) -> None:
    file = grid(tmp_path, factors="{mine: {off: {}, on: {field: {id_loss.weight: 0.5}}}}")
    with pytest.raises(InputError, match=r"unknown key; did you mean 'fields'\?"):
        read_grid(file, {})


def test_a_file_of_megabytes_is_not_read(tmp_path: Path) -> None:
    file = grid(tmp_path)
    file.write_text(file.read_text() + "# " + "x" * MOST_BYTES)
    with pytest.raises(InputError, match=r"must be at most 256 kB, found 25\d kB"):
        read_grid(file, {})


def test_control_characters_are_not_printed() -> None:
    assert one_line("a\x1b[31mb\nc") == r"a\u001b[31mb c"
    assert len(one_line("x" * 5000)) == LONGEST


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.sampled_from(list("abc019.-+eE:,[]{}&*!|>'\"#\n \t%@`~\\ux")), max_size=60))
def test_any_text_is_a_value_or_one_line(text: str) -> None:
    with suppress(InputError):
        parse(text, "f.yaml")
