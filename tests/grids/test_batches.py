"""Batches: their resolution, their turns, their seeds, and what a grid file may ask of them."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from reid.errors import InputError
from reid.grids.designs.batches import Batches, batch_words, batches_due, fractions
from reid.grids.designs.design import Arm, Factor, Level, field_factor, full_factorial
from reid.grids.designs.fractions import resolution, subgroup
from reid.grids.grid import Grid, read_grid
from reid.recipe import Recipe
from reid.store.looks import LookRecord
from reid.tricks.paper import PAPER_TRICKS

CONTENT = {"tiny": "content"}
SIX = ", ".join(f"{name}: " for name in PAPER_TRICKS)


def switches(count: int) -> list[Factor]:
    return [Factor(f"f{number}", "", "", (Level("off", {}), Level("on", {}))) for number in range(count)]


def grid(folder: Path, text: str, factors: str = SIX) -> Grid:
    file = folder / "grid.yaml"
    file.write_text(f"name: six\ndataset: {{name: tiny, root: data/tiny}}\nfactors: {{{factors}}}\n{text}\n")
    return read_grid(file, {})


def columns(arms: list[str], order: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """±1 columns of the mean and every effect of up to `order` factors, over arms named by their digits."""
    signs = np.array([[1 if digit == "1" else -1 for digit in arm] for arm in arms])
    groups = [group for size in range(order + 1) for group in combinations(range(signs.shape[1]), size)]
    return np.column_stack([signs[:, list(group)].prod(1) for group in groups])


@pytest.mark.parametrize("count", range(1, 11))
def test_a_batch_is_the_smallest_fraction_that_keeps_main_effects_clear_of_pairs(count: int) -> None:
    names = [f"{number:0{count}b}" for number in range(2**count)]
    words = batch_words(count)
    assert len(words) == (2 if count >= 6 else 1 if count >= 4 else 0)
    assert resolution(words) >= 4 if words else count <= 3
    made = fractions([Arm(name, {}, Recipe()) for name in names], switches(count))
    assert [len(batch) for batch in made] == [2 ** (count - len(words))] * 2 ** len(words)
    assert sorted(arm.name for batch in made for arm in batch) == names, "together they are the whole, once"
    assert made[0][0].name == "0" * count, "the base is trained first"
    if count <= 8:
        main = range(1, 1 + count)
        for batch in made:
            found = columns([arm.name for arm in batch], 2)
            products = np.abs(found.T @ found)[list(main)]
            products[np.arange(count), list(main)] = 0
            assert not products.any(), "no main effect is confounded with the mean, another or a pair"


def test_two_quarters_make_a_half_of_the_best_word_there_is() -> None:
    words = batch_words(7)
    assert max(word.bit_count() for word in subgroup(words)) == words[0].bit_count()
    first, second, *_ = fractions([Arm(f"{number:07b}", {}, Recipe()) for number in range(128)], switches(7))
    half = columns([arm.name for arm in (*first, *second)], 7)
    constant = np.flatnonzero(np.abs(half.sum(0)) == 64)
    assert len(constant) == 2, "the mean and one word"
    letters = [size for size in range(8) for _ in combinations(range(7), size)]
    assert letters[constant[1]] == words[0].bit_count() == 5


def test_blocks_of_six_build_every_combination_once_in_the_first_64_runs(tmp_path: Path) -> None:
    made = grid(tmp_path, "design: blocks")
    runs = made.runs(CONTENT)
    assert len(runs) == 64
    assert len({arm.name for _, arm, _ in runs}) == 64
    assert [seed for _, _, seed in runs] == [0] * 16 + [1] * 16 + [2] * 16 + [3] * 16
    assert len({signature for signature, _, _ in runs}) == 64
    half = columns([arm.name for _, arm, _ in runs[:32]], 1)
    np.testing.assert_array_equal(half.T @ half, 32 * np.eye(7))
    assert made.runs(CONTENT, 8)[:64] == runs
    again = made.runs(CONTENT, 8)[64:]
    assert [arm.name for _, arm, _ in again[:16]] != [arm.name for _, arm, _ in runs[:16]], "shuffled by its own seed"
    assert {arm.name for _, arm, _ in again[:16]} == {arm.name for _, arm, _ in runs[:16]}


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [([0], [0, 1, 2, 3]), ([5, 2], [5, 2, 6, 7]), ([3, 1, 4, 15, 9], [3, 1, 4, 15, 9]), ([0, 1, 2, 3], [0, 1, 2, 3])],
)
def test_a_batch_takes_its_seed_from_the_file_and_then_the_next_number(
    tmp_path: Path, seeds: list[int], expected: list[int]
) -> None:
    runs = grid(tmp_path, f"design: blocks\nseeds: {seeds}").runs(CONTENT)
    assert list(dict.fromkeys(seed for _, _, seed in runs)) == expected


def test_a_grid_that_grows_is_the_beginning_of_itself(tmp_path: Path) -> None:
    made = grid(tmp_path, "design: {until: decided, matters: 0.5, at_most: 100}")
    assert made.least_batches == 2
    runs = [made.runs(CONTENT, batches) for batches in (0, 1, 2, 3, 9)]
    assert [len(each) for each in runs] == [32, 32, 32, 48, 144]
    assert runs[4][:48] == runs[3]
    assert runs[3][:32] == runs[0]
    assert len({signature for signature, _, _ in runs[4]}) == 144


def test_levels_of_several_are_crossed_with_the_batches_of_the_others(tmp_path: Path) -> None:
    """The stated rule: a batch is a fraction of the two-level factors, with every level of the others."""
    alone = [field_factor("triplet.margin", [0.3, "soft", 0.5])]
    assert [[arm.name for arm in batch] for batch in fractions(full_factorial(Recipe(), alone), alone)] == [
        ["0", "1", "2"]
    ]
    crossed = grid(tmp_path, "design: blocks", "triplet.margin: [0.3, soft, 0.5], " + SIX.rpartition(", ")[0])
    assert crossed.batches is not None
    assert len(crossed.batches.fractions) == 2
    for batch in crossed.batches.fractions:
        assert len(batch) == 3 * 16
        assert len({arm.name[1:] for arm in batch}) == 16


def test_the_looks_say_how_many_batches_there_are() -> None:
    def look(batches: int, stop: str) -> LookRecord:
        return LookRecord.model_validate(
            {"look": 1, "batches": batches, "runs": 1, "critical": 2.5, "factors": {}, "stop": stop}
        )

    assert batches_due([]) == 2
    assert batches_due([look(2, "")]) == 3
    assert batches_due([look(2, ""), look(3, "")]) == 4
    assert batches_due([look(2, ""), look(3, "decided")]) == 3
    assert Batches([[], []], [4]).seed(3) == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("design: {until: decided, at_most: 192}", r"design\.matters: verdicts need the smallest effect that matters"),
        ("design: {until: decided, matters: 0.5}", r"design\.at_most: Field required"),
        (
            "design: {until: decided, matters: 0.5, at_most: 31}",
            r"design\.at_most: must be at least 32, two batches of",
        ),
        ("design: {until: decided, matters: 0, at_most: 64}", r"design\.matters: .*greater than 0, found 0"),
        ("design: {until: decide, matters: 1, at_most: 64}", r"design\.until: .*'decided', found 'decide'"),
        ("design: {until: {width: 1}, at_most: 64}", r"design\.until\.half_width: Field required"),
        ("design: {until: {half_width: -1}, at_most: 64}", r"half_width: .*greater than 0, found -1"),
        (
            "design: {until: decided, mater: 1, at_most: 64}",
            r"design\.mater: unknown key; did you mean .matters.\?",
        ),
        ("design: block", r"design: Input should be 'full'.*'blocks'.*found 'block'"),
        (
            "matters: 1\ndesign: {until: decided, matters: 0.5, at_most: 64}",
            "matters: is 1, and 0.5 in `design`; give it",
        ),
        ("design: blocks\nexclude: [{bnneck: on}]", "batches are fractions of every combination.*remove `exclude`"),
        ("design: blocks\nbudget: {halving: {first: 2}}", "remove `budget`"),
        ("design: blocks\nseeds: [1, 1]", "seeds: each seed once"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        grid(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_arms_that_break_a_rule_and_too_many_factors_are_refused(tmp_path: Path) -> None:
    listed = tmp_path / "arms.yaml"
    listed.write_text(
        "name: a\ndataset: {name: t, root: d}\ndesign: blocks\narms: {one: {}, two: {tricks: {bnneck: }}}\n"
    )
    with pytest.raises(InputError, match=r"remove `arms`"):
        read_grid(listed, {})
    with pytest.raises(ValueError, match="at most 10 factors of two levels, found 11"):
        batch_words(11)


def test_what_matters_is_in_points_in_the_file_wherever_it_is_said(tmp_path: Path) -> None:
    for text in (
        "matters: 0.5\ndesign: {until: decided, at_most: 64}",
        "design: {until: decided, matters: 0.5, at_most: 64}",
    ):
        spec = grid(tmp_path, text).spec
        assert spec.smallest == 0.5
        assert spec.until is not None
        assert spec.until.half_width is None
    width = grid(tmp_path, "design: {until: {half_width: 0.25}, at_most: 64}").spec
    assert width.until is not None
    assert width.until.half_width == 0.25
