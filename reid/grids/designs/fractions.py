"""Fractions of a two-level factorial, chosen for resolution, and what they confound.

A fraction keeps the arms in which every defining word (a set of factors) has an even number of factors on, so the base
arm is always in. Words are bit masks, the first factor the lowest bit. Our own search rather than pyDOE3's tables: it
is exhaustive for up to ten factors, keeps the base arm, and needs forty lines. Source: Box, Hunter & Hunter, Statistics
for Experimenters, chapter 6.
"""

from collections.abc import Sequence
from itertools import combinations

MOST_FACTORS = 10
HALVINGS = {"half": 1, "quarter": 2}  # of the designs that are fractions


def defining_words(factors: int, halvings: int) -> list[int]:
    """Generators of the fraction of 1/2^halvings of `factors` two-level factors: highest resolution, least aberration.

    halvings 1 gives the word of all factors (for six I = ABCDEF, resolution VI), 2 a quarter (for six resolution IV).
    Raises ValueError where the fraction would confound main effects with each other (resolution under III).
    """
    if not 1 <= halvings <= 2 or not halvings < factors <= MOST_FACTORS:
        raise ValueError(
            f"fractions are halves and quarters of up to {MOST_FACTORS} factors, not 1/{2**halvings} of {factors}"
        )
    everything = (1 << factors) - 1
    if halvings == 1:
        words = [everything]
    else:
        # Up to the factors' names a pair of words is three numbers: factors in the first, in the second, in both.
        shapes = [
            (a, b, c)
            for a in range(factors + 1)
            for b in range(factors + 1 - a)
            for c in range(factors + 1 - a - b)
            if sum(part > 0 for part in (a, b, c)) >= 2
        ]
        a, b, c = min(shapes, key=lambda shape: _aberration(shape, factors))
        first = (1 << (a + c)) - 1
        second = ((1 << (b + c)) - 1) << a
        words = [first, second]
    if resolution(words) < 3:
        raise ValueError(
            f"no fraction 1/{2**halvings} of {factors} factors tells main effects apart; take a larger one"
        )
    return words


def _aberration(shape: tuple[int, int, int], factors: int) -> tuple[int, ...]:
    """How many words of each length, shortest first: the smaller in order, the better the fraction."""
    a, b, c = shape
    lengths = (a + c, b + c, a + b)
    return tuple(lengths.count(length) for length in range(factors + 1))


def subgroup(words: Sequence[int]) -> list[int]:
    """All products of the words but the identity: every set of factors that the fraction confounds with the mean."""
    products = {0}
    for word in words:
        products |= {product ^ word for product in products}
    return sorted(products - {0})


def resolution(words: Sequence[int]) -> int:
    """Length of the shortest defining word."""
    return min(word.bit_count() for word in subgroup(words))


def is_kept(on: int, words: Sequence[int]) -> bool:
    """Whether the arm whose factors `on` are on (a bit mask) is in the fraction."""
    return all((on & word).bit_count() % 2 == 0 for word in words)


def aliases(words: Sequence[int], factors: int, order: int = 2) -> dict[int, list[int]]:
    """For every effect of up to `order` factors the other such effects that the fraction cannot tell from it."""
    confounded = subgroup(words)
    effects = [
        sum(1 << f for f in group) for size in range(1, order + 1) for group in combinations(range(factors), size)
    ]
    return {
        effect: [effect ^ word for word in confounded if 0 < (effect ^ word).bit_count() <= order] for effect in effects
    }
