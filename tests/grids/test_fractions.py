"""Resolution and aliases of the fractions, proved by linear algebra."""

from itertools import combinations

import numpy as np
import pytest

from reid.grids.designs.fractions import aliases, defining_words, is_kept, resolution, subgroup


def kept(factors: int, words: list[int]) -> list[int]:
    return [on for on in range(1 << factors) if is_kept(on, words)]


def column(arms: list[int], effect: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """±1 contrast of an effect (a bit mask of factors) over arms."""
    return np.array([(-1) ** ((~on & effect).bit_count()) for on in arms])


@pytest.mark.parametrize("factors", range(3, 11))
@pytest.mark.parametrize("halvings", [1, 2])
def test_aliases_and_resolution_are_those_of_the_columns(factors: int, halvings: int) -> None:
    if factors - halvings < 2 or (factors, halvings) == (4, 2):
        with pytest.raises(ValueError, match=r"tells main effects apart|halves and quarters"):
            defining_words(factors, halvings)
        return
    words = defining_words(factors, halvings)
    arms = kept(factors, words)
    assert len(arms) == 2 ** (factors - halvings)
    assert 0 in arms
    effects = [sum(1 << f for f in g) for size in (1, 2) for g in combinations(range(factors), size)]
    matrix = np.column_stack([column(arms, effect) for effect in effects])
    products = np.abs(matrix.T @ matrix) == len(arms)
    for row, effect in enumerate(effects):
        same = {other for j, other in enumerate(effects) if products[row, j] and other != effect}
        assert set(aliases(words, factors)[effect]) == same
    shortest = next(
        size
        for size in range(1, factors + 1)
        for group in combinations(range(factors), size)
        if abs(column(arms, sum(1 << f for f in group)).sum()) == len(arms)
    )
    assert resolution(words) == shortest


@pytest.mark.parametrize(
    ("factors", "halvings", "expected"),
    [
        (3, 1, 3),
        (4, 1, 4),
        (5, 1, 5),
        (6, 1, 6),
        (7, 1, 7),
        (5, 2, 3),
        (6, 2, 4),
        (7, 2, 4),
        (8, 2, 5),
        (9, 2, 6),
        (10, 2, 6),
    ],
)
def test_resolution_is_the_best_there_is(factors: int, halvings: int, expected: int) -> None:
    """Against the tables of Box, Hunter & Hunter; quarters of 3 to 7 factors also against every pair of words."""
    words = defining_words(factors, halvings)
    assert resolution(words) == expected
    if halvings == 2 and factors <= 7:
        pairs = combinations(range(1, 1 << factors), 2)
        assert max(resolution(list(pair)) for pair in pairs) == expected


def test_half_of_six_is_the_word_of_all() -> None:
    assert subgroup(defining_words(6, 1)) == [0b111111]
    assert all(not others for others in aliases(defining_words(6, 1), 6).values())
