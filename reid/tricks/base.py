"""What a trick is: a named change of a recipe, with a method card and the knobs it declares."""

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
class MethodCard:
    """The method card that the report prints."""

    idea: str
    formula: str
    source: str
    cost: str
    interactions: str


@dataclass(frozen=True)
class Trick:
    """Setting `settings` and `knobs` in a recipe turns the trick on. Tricks set disjoint fields, so they commute.

    `requires` are tricks that must be on, and fields that must have a value ("neck.kind=bnneck"), for this one to make
    sense; `conflicts_with` are those that must not. A grid leaves out the arms that break one.
    """

    name: str
    short: str
    title: str
    card: MethodCard
    settings: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    conflicts_with: tuple[str, ...] = ()

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

    def is_on(self, recipe: Recipe) -> bool:
        """Whether a recipe has all settings of this trick and, if it has knobs, one that is not at the baseline's."""
        values, baseline = recipe.flat(), Recipe().flat()
        settings = all(values[path] == value for path, value in self.settings.items())
        return settings and (not self.knobs or any(values[k.path] != baseline[k.path] for k in self.knobs.values()))
