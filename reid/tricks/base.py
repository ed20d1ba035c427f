"""What a trick is: a named change of one slot of a recipe, with a method card and the knobs it declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reid.recipe import Recipe


@dataclass(frozen=True)
class Knob:
    """A number of a trick that may be tuned: its recipe field, the paper's value and the range worth searching.

    With `zero_is_off` a search also tries 0, outside the range, which turns the trick off.
    """

    path: str
    default: float | int
    low: float
    high: float
    log: bool = False
    zero_is_off: bool = False


@dataclass(frozen=True)
class Card:
    """The method card that the report prints."""

    idea: str
    formula: str
    source: str
    cost: str
    interactions: str


@dataclass(frozen=True)
class Trick:
    """Setting `settings` and `knobs` in a recipe turns the trick on. Tricks set disjoint fields, so they commute."""

    name: str
    short: str
    title: str
    card: Card
    settings: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Knob] = field(default_factory=dict)

    def apply(self, recipe: Recipe, **knobs: float | int) -> Recipe:
        """`recipe` with this trick on, its knobs at the paper's values unless given.

        Raises KeyError for a knob the trick does not have.
        """
        values = {name: knob.default for name, knob in self.knobs.items()}
        for name, value in knobs.items():
            if name not in values:
                raise KeyError(name)
            values[name] = value
        return recipe.set({**self.settings, **{self.knobs[name].path: value for name, value in values.items()}})

    @property
    def fields(self) -> frozenset[str]:
        """The recipe fields this trick sets."""
        return frozenset(self.settings) | {knob.path for knob in self.knobs.values()}
