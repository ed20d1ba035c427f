"""Batches: fractions of a factorial, trained in turn, each time with a seed of its own; several make it whole.

A grid that looks at its results as it goes needs runs in portions that are each a design. A batch is the smallest of
quarter, half and whole factorial of the two-level factors whose resolution is four or more, so that no main effect is
confounded with a pair; it is crossed with every level of the other factors. docs/decisions/0013 says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reid.grids.design import Arm, Factor, launch_order, switched_on
from reid.grids.fractions import MOST_FACTORS, defining_words, subgroup


@dataclass(frozen=True)
class Batches:
    """`fractions` of a factorial in turn, all of one size; `seeds`, one a batch, are counted on where they end."""

    fractions: Sequence[Sequence[Arm]]
    seeds: Sequence[int]

    @property
    def size(self) -> int:
        """Runs of a batch."""
        return len(self.fractions[0])

    @property
    def whole(self) -> int:
        """Batches of a grid that does not stop early: one a seed, and at least those that make the factorial whole."""
        return max(len(self.seeds), len(self.fractions))

    def seed(self, batch: int) -> int:
        beyond = batch - len(self.seeds)
        return self.seeds[batch] if beyond < 0 else max(self.seeds) + 1 + beyond

    def runs(self, batches: int) -> list[tuple[Arm, int]]:
        """Arm and seed of every run of the first `batches`, in launch order."""
        turns = [(self.fractions[batch % len(self.fractions)], self.seed(batch)) for batch in range(batches)]
        return [run for arms, seed in turns for run in launch_order(arms, [seed])]


def batch_words(factors: int) -> list[int]:
    """Defining words of the batches of so many two-level factors, longest first; none where a batch is the whole.

    A half has as many letters as factors, a quarter of six and more has resolution four or more, of five only three.
    Raises ValueError for more factors than fractions are known of.
    """
    if factors > MOST_FACTORS:
        raise ValueError(f"batches are of at most {MOST_FACTORS} factors of two levels, found {factors}")
    halvings = 2 if factors >= 6 else 1 if factors >= 4 else 0
    words = subgroup(defining_words(factors, halvings)) if halvings else []
    return sorted(words, key=lambda word: (-word.bit_count(), word))[:halvings]


def fractions(arms: Sequence[Arm], factors: Sequence[Factor]) -> list[list[Arm]]:
    """The arms of a full factorial as batches, in turn: that of the base first, then the one that makes a half of the
    highest resolution with it. Raises ValueError for more factors than fractions are known of.
    """
    two = [index for index, factor in enumerate(factors) if len(factor.levels) == 2]
    words = batch_words(len(two))
    found: dict[tuple[int, ...], list[Arm]] = {}
    for arm in arms:
        on = switched_on(arm, two)
        found.setdefault(tuple((on & word).bit_count() % 2 for word in words), []).append(arm)
    return [found[parity] for parity in sorted(found)]
