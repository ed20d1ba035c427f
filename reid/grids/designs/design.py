"""The design of a grid: factors, the arms that cross them, and the order of launch. Nothing here touches a disk."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reid.grids.designs.fractions import HALVINGS, defining_words, is_kept
from reid.recipe import Recipe
from reid.seeding import numpy_generator
from reid.tricks import Trick

Design = Literal["full", "half", "quarter", "blocks", "ladder", "leave-one-out", "add-one-in"]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Level:
    """One setting of a factor: a label, the recipe fields or the data sets to train on that it sets, and the tricks
    that it switches on.
    """

    label: str
    fields: Mapping[str, Any]
    train_on: tuple[str, ...] = ()
    tricks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Factor:
    """What a grid switches. `short` is for column heads; the first level is the base."""

    name: str
    short: str
    title: str
    levels: tuple[Level, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The recipe fields that its levels set."""
        return frozenset(field for level in self.levels for field in level.fields)


@dataclass(frozen=True)
class Arm:
    """One combination of levels. `name` has a digit a factor, the position of its level: 110100."""

    name: str
    levels: dict[str, str]
    recipe: Recipe
    train_on: tuple[str, ...] = ()
    placebo: bool = False


def trick_factor(trick: Trick, switched_on: Recipe) -> Factor:
    """A trick off (the base recipe as it is) and on, as in the recipe `switched_on`."""
    values = switched_on.flat()
    on = Level("on", {field: values[field] for field in sorted(trick.fields)}, tricks=(trick.name,))
    return Factor(trick.name, trick.short, trick.title, (Level("off", {}), on))


def field_factor(field: str, values: Sequence[Any]) -> Factor:
    """A recipe field with two or more values."""
    levels = tuple(Level(str(value), {field: value}) for value in values)
    return Factor(field, field.rpartition(".")[2], field, levels)


def training_factor(choices: Sequence[tuple[str, ...]]) -> Factor:
    """Data sets to train on, each choice one set or several."""
    levels = tuple(Level(" + ".join(names), {}, names) for names in choices)
    return Factor("train_on", "train", "Trained on", levels)


def full_factorial(base: Recipe, factors: Sequence[Factor], train_on: tuple[str, ...] = ()) -> list[Arm]:
    """Every combination of levels, the base first, the last factor moving fastest; on `train_on` unless it is one."""
    arms = []
    for positions in itertools.product(*(range(len(factor.levels)) for factor in factors)):
        chosen = [factor.levels[position] for factor, position in zip(factors, positions, strict=True)]
        fields = {field: value for level in chosen for field, value in level.fields.items()}
        levels = {factor.name: level.label for factor, level in zip(factors, chosen, strict=True)}
        sets = next((level.train_on for level in chosen if level.train_on), train_on)
        arms.append(Arm("".join(DIGITS[position] for position in positions), levels, base.set(fields), sets))
    return arms


def select(arms: Sequence[Arm], factors: Sequence[Factor], design: Design) -> list[Arm]:
    """The arms of a full factorial that a design asks for.

    half and quarter are fractions of the two-level factors of highest resolution, crossed with all levels of the
    others; blocks has every arm, as full, and spreads them over seeds in batches; ladder adds one factor after another
    in their order, add-one-in one at a time to none, leave-one-out takes one at a time from all. Raises ValueError for
    a design that the factors do not admit.
    """
    if design in ("full", "blocks"):
        return list(arms)
    two = [index for index, factor in enumerate(factors) if len(factor.levels) == 2]
    if design in HALVINGS:
        words = defining_words(len(two), HALVINGS[design])
        return [arm for arm in arms if is_kept(switched_on(arm, two), words)]
    if len(two) < len(factors):
        several = next(factor.name for factor in factors if len(factor.levels) != 2)
        raise ValueError(f"a {design} needs factors of two levels, {several} has more")
    count = len(factors)
    names = {
        "ladder": ["1" * rung + "0" * (count - rung) for rung in range(count + 1)],
        "add-one-in": ["0" * count, *("0" * f + "1" + "0" * (count - f - 1) for f in range(count))],
        "leave-one-out": ["1" * count, *("1" * f + "0" + "1" * (count - f - 1) for f in range(count))],
    }[design]
    by_name = {arm.name: arm for arm in arms}
    return [by_name[name] for name in dict.fromkeys(names)]


def switched_on(arm: Arm, factors: Sequence[int]) -> int:
    """Which of the two-level `factors`, by their places, are on in an arm: a bit mask, the first the lowest bit."""
    return sum((arm.name[factor] == "1") << bit for bit, factor in enumerate(factors))


def launch_order(arms: Sequence[Arm], seeds: Sequence[int]) -> list[tuple[Arm, int]]:
    """Arms x seeds so that an interrupted grid is still a design: seed by seed; within a seed the arms with an even
    sum of levels first (for two-level factors the half fraction of highest resolution, for six I = ABCDEF), then the
    others; each half shuffled by a fixed stream.
    """
    order = []
    for seed in seeds:
        shuffled = [arms[i] for i in numpy_generator(seed, "launch order").permutation(np.arange(len(arms)))]
        shuffled.sort(key=lambda arm: sum(DIGITS.index(digit) for digit in arm.name) % 2)
        order += [(arm, seed) for arm in shuffled]
    return order
