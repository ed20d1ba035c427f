"""Labels of any kind as levels, and text as numbers."""

import math

import pytest

from reid.analysis.any_trainer.levels import levels_of
from reid.analysis.any_trainer.numbers import number, numbers
from reid.analysis.any_trainer.sheet import Sheet
from reid.errors import InputError


@pytest.mark.parametrize(
    ("cells", "levels"),
    [
        (["true", "false"], ("false", "true")),
        (["with", "Off"], ("Off", "with")),
        (["adam", "none", "sgd"], ("none", "adam", "sgd")),
        (["0.3", "0.1", "0.2"], ("0.1", "0.2", "0.3")),
        (["1", "-1"], ("-1", "1")),
        (["+", "-"], ("-", "+")),
        (["soft", "0.3"], ("soft", "0.3")),
        (["high", "low"], ("high", "low")),
        (["1e-3", "0.01", "0.001"], ("1e-3", "0.01")),
        (["1.0", "0", "1", "0.0"], ("0", "1.0")),
        (["yes", "1", "True", "no", "0"], ("no", "yes")),
    ],
)
def test_the_base_comes_first(cells: list[str], levels: tuple[str, ...]) -> None:
    assert levels_of(cells, "f", "x", None).levels == levels


def test_a_base_by_name_and_empty_cells() -> None:
    found = levels_of(["a", "", "B", "nan", "b"], "f", "x", "b")
    assert found.levels == ("B", "a")
    assert found.rows == ("a", None, "B", None, "B")
    assert found.merged == (("B", "b"),)
    assert found.title("f", 1) == "f: B → a"
    assert levels_of(["off", "on"], "f", "x", None).title("f", 1) == "f"
    with pytest.raises(InputError, match=r"--base f=c: must be a level of f, which are a, B"):
        levels_of(["a", "B"], "f", "x", "c")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["on", "on"], "found 'on' only"),
        (["", "nan"], "found empty cells only"),
        ([f"{i / 7}" for i in range(40)], "at most 36 levels, found 40 in 40 rows"),
    ],
)
def test_what_is_no_factor(cells: list[str], words: str) -> None:
    with pytest.raises(InputError, match="x: factor f must") as told:
        levels_of(cells, "f", "x", None)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-.5e2", -50),
        ("−2", -2),
        ("1e999", math.inf),
        ("1.7976931348623157e308", math.inf),
        ("-inf", -math.inf),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "1_000", "١", "0x1", "1,5", "one", "1 s", "--1", "1e"])
def test_text_that_is_no_number(text: str) -> None:
    assert number(text) is None


def test_columns_of_numbers() -> None:
    def column(*cells: str, comma: bool = False) -> dict[int, float | None]:
        rows = [f"line {row + 2}" for row in range(len(cells))]
        one = Sheet("x", "x", ["acc"], [cells], rows, "", decimal_comma=comma)
        return numbers(one, 0, range(len(cells)))

    assert column("91.2%", "90 %", "") == {0: 91.2, 1: 90.0, 2: None}
    assert column("0,91", "1", comma=True) == {0: 0.91, 1: 1.0}
    assert column("n/a", "-", "None", "2") == {0: None, 1: None, 2: None, 3: 2.0}
    for cells, words in ((("0.9", "91%"), "line 3: acc must be in percent in all"), (("1", "0.9 s"), "found '0.9 s'")):
        with pytest.raises(InputError, match="x line 3") as told:
            column(*cells)
        assert words in str(told.value)
    with pytest.raises(InputError, match="found '1,234'"):
        column("1,234")
