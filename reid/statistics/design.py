"""Which design the planned arms are, what it can tell, and what its effects are aliased with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from reid.statistics.factor_coding import DIGITS, Codes, Coding, arm_names, coding
from reid.statistics.least_squares import Array

MAIN = "main effect (mean of all arms with it minus mean of all arms without)"
AWAY = "loss when it is taken away (the full set minus the full set without it)"
ALONE = "gain when it is added alone (its arm minus the base)"
STEP = "step on the ladder (what it adds to those before it)"
ESTIMANDS = {"full": MAIN, "half": MAIN, "quarter": MAIN, "leave-one-out": AWAY, "add-one-in": ALONE, "ladder": STEP}


@dataclass(frozen=True)
class Design:
    """The planned arms of a grid, as level positions (arms, factors).

    `asked` is the design as a grid file names it, a key of ESTIMANDS: arms may have been excluded from it. The arms
    alone tell the design where that is not known.
    """

    coding: Coding
    codes: Codes
    asked: str = ""

    @cached_property
    def arms(self) -> list[str]:
        return arm_names(self.codes)

    @cached_property
    def signs(self) -> Array:
        """-1 at the first level, +1 at the other; for factors of two levels."""
        return np.where(self.codes > 0, 1.0, -1.0)

    @cached_property
    def kind(self) -> str:
        """ "full", "fraction", "leave-one-out", "add-one-in", "ladder", or "arms" for any other choice of arms."""
        if len(self.arms) == self.coding.cells:
            return "full"
        if self.coding.switches and saturated(self.signs) is not None:
            return "fraction"
        kinds = {AWAY: "leave-one-out", ALONE: "add-one-in", STEP: "ladder", MAIN: "arms"}
        return kinds[self.estimand]

    @cached_property
    def estimand(self) -> str:
        """What is called the effect of a factor: a main effect where the arms are made for it, else a single step."""
        if len(self.arms) == self.coding.cells or (self.coding.switches and saturated(self.signs) is not None):
            return MAIN
        if self.asked in ESTIMANDS:
            return ESTIMANDS[self.asked]
        planned, k = set(self.arms), len(self.coding.names)
        on = self.codes.astype(bool).sum(axis=1)
        if self.coding.switches and {flipped("1" * k, i, "0") for i in range(k)} | {"1" * k} <= planned:
            return AWAY
        if {flipped("0" * k, t.factor, DIGITS[t.level]) for t in self.coding.terms} | {"0" * k} <= planned:
            return ALONE
        if self.coding.switches and self.order is not None and len(on) == k + 1:
            return STEP
        return MAIN

    @cached_property
    def order(self) -> list[str] | None:
        """The factors in the order in which a ladder's arms switch them on; None where the design is no ladder."""
        rungs = self.codes[np.argsort(self.codes.sum(axis=1))]
        steps = np.diff(rungs, axis=0)
        one_more = (steps.sum(axis=1) == 1).all() and (steps >= 0).all()
        if one_more and not rungs[0].any() and len(steps) == len(self.coding.names):
            return [self.coding.names[int(step.argmax())] for step in steps]
        return list(self.coding.names) if self.asked == "ladder" else None

    @cached_property
    def words(self) -> list[tuple[int, ...]]:
        """The defining relation of a fraction: sets of factors whose signs multiply to a constant, shortest first."""
        if self.kind != "fraction":
            return []
        k = len(self.coding.names)
        every = (set_ for size in range(1, k + 1) for set_ in combinations(range(k), size))
        return [chosen for chosen in every if abs(self.signs[:, chosen].prod(axis=1).sum()) == len(self.signs)]

    @cached_property
    def alias_groups(self) -> list[list[int]]:
        """Columns of the model (main effects, then pairs) that no run of a fraction can tell apart."""
        if self.kind != "fraction":
            return []
        columns = self.coding.model(self.codes)
        same = np.abs(np.sign(columns).T @ np.sign(columns)) == len(columns)
        groups = {tuple(np.flatnonzero(row).tolist()) for row in same}
        return sorted(list(group) for group in groups if len(group) > 1)

    @cached_property
    def alias_contrasts(self) -> Array:
        """Weights (groups, columns of the model) of the sums of `alias_groups`, with the signs that the arms give."""
        columns = np.sign(self.coding.model(self.codes))
        contrasts = np.zeros((len(self.alias_groups), columns.shape[1]))
        for row, group in zip(contrasts, self.alias_groups, strict=True):
            row[group] = columns[0, group] * columns[0, group[0]]
        return contrasts

    def alias_sums(self, names: Sequence[str]) -> list[str]:
        """The sums of `alias_groups` in words, of the names of the terms: effects joined by " + " or " − "."""
        words = []
        for row, (first, *others) in zip(self.alias_contrasts, self.alias_groups, strict=True):
            rest = (f" {'+' if row[column] > 0 else '−'} {self.name(column, names)}" for column in others)
            words.append(self.name(first, names) + "".join(rest))
        return words

    def name(self, column: int, shorts: Sequence[str]) -> str:
        """A column of the model in words: a term, or a pair of terms."""
        terms = len(self.coding.terms)
        return shorts[column] if column < terms else "×".join(shorts[t] for t in self.coding.pairs[column - terms])


def design_of(table: pd.DataFrame, factors: Sequence[str], asked: str = "") -> Design:
    """The design of all planned runs of a tidy table, whatever became of them; `asked` as in `Design`."""
    coded = coding(table, factors)
    return Design(coded, np.unique(coded.codes(table), axis=0), asked)


def saturated(signs: Array) -> Array | None:
    """All contrasts (n, n) of the arms of a two-level factorial or regular fraction, the mean first; None for others.

    Every contrast is a product of factors; the products that the arms cannot tell apart are one contrast.
    """
    n = len(signs)
    columns = [np.ones(n)]
    for sign in signs.T:
        if not any(abs(sign @ column) == n for column in columns):
            columns += [sign * column for column in columns]
        if len(columns) > n:
            return None
    matrix = np.array(columns)
    return matrix if len(matrix) == n and np.array_equal(matrix @ matrix.T, n * np.eye(n)) else None


def flipped(arm: str, factor: int, level: str) -> str:
    return f"{arm[:factor]}{level}{arm[factor + 1 :]}"
