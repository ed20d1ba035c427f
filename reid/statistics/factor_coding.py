"""Factors as numbers: the codes of a table's levels, and the columns of the linear model made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.errors import InputError
from reid.statistics.least_squares import Array

Codes = NDArray[np.int64]
PLACEBO = "placebo"  # a factor that changes nothing, so it has no part in interactions
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Term:
    """A level of a factor against the factor's first level; the factor itself where it has two."""

    factor: int
    level: int
    name: str


@dataclass(frozen=True)
class Coding:
    """Factors and their levels in words, the base level first.

    A column of the model belongs to a term: 1 at its level, 0 elsewhere, centred over the factor's levels. So a
    coefficient is the mean at the level minus the mean at the base, averaged evenly over all levels of the others.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]

    @cached_property
    def terms(self) -> list[Term]:
        return [
            Term(i, level, name if len(levels) == 2 else f"{name}={levels[level]}")
            for i, (name, levels) in enumerate(zip(self.names, self.levels, strict=True))
            for level in range(1, len(levels))
        ]

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions of the terms of every two-factor interaction that there can be."""
        real = [i for i, term in enumerate(self.terms) if self.names[term.factor] != PLACEBO]
        return [(a, b) for a, b in combinations(real, 2) if self.terms[a].factor != self.terms[b].factor]

    @property
    def cells(self) -> int:
        """How many arms a full factorial has."""
        return prod(map(len, self.levels))

    @property
    def switches(self) -> bool:
        """Whether every factor has two levels."""
        return all(len(levels) == 2 for levels in self.levels)

    def every_arm(self) -> Codes:
        """Codes (cells, factors) of the full factorial, in the order of the arms' names."""
        return np.array(list(product(*(range(len(levels)) for levels in self.levels))), dtype=np.int64)

    def codes(self, table: pd.DataFrame) -> Codes:
        """Positions (n, factors) of the levels in a tidy table's rows."""
        columns = [_categories(table[name]).cat.codes.to_numpy(dtype=np.int64) for name in self.names]
        return np.column_stack(columns) if columns else np.zeros((len(table), 0), dtype=np.int64)

    def main(self, codes: Codes) -> Array:
        """Columns (n, terms) of the main effects."""
        columns = [(codes[:, term.factor] == term.level) - 1 / len(self.levels[term.factor]) for term in self.terms]
        return np.column_stack(columns)

    def model(self, codes: Codes) -> Array:
        """Columns (n, terms + pairs): main effects, then interactions, with half-difference scaling."""
        main = self.main(codes)
        return np.column_stack([main, *(2 * main[:, a] * main[:, b] for a, b in self.pairs)])


def coding(table: pd.DataFrame, factors: Sequence[str]) -> Coding:
    """The coding of a table's factors: columns of bool (off, on) or categories in the order of their levels."""
    return Coding(tuple(factors), tuple(tuple(_levels(table[name])) for name in factors))


def arm_names(codes: Codes) -> list[str]:
    """A digit a factor, the position of its level."""
    return ["".join(DIGITS[code] for code in row) for row in codes]


def _levels(column: "pd.Series[Any]") -> list[str]:
    return ["off", "on"] if column.dtype == bool else [str(level) for level in _categories(column).cat.categories]


def _categories(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column.astype(pd.CategoricalDtype([False, True]) if column.dtype == bool else "category")


def require_switches(coded: Coding, what: str) -> None:
    """Raise InputError where a factor has not two levels."""
    for name, levels in zip(coded.names, coded.levels, strict=True):
        if len(levels) != 2:
            raise InputError(
                f"factor {name}: {what} takes factors of two levels, found {len(levels)} ({', '.join(levels)}); "
                "leave it out of the order or see its contrasts in the effects"
            )
