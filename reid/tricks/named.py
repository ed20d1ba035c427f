"""Tricks as YAML files name them."""

from collections.abc import Mapping

from pydantic import ValidationError

from reid.errors import InputError
from reid.recipe import Recipe
from reid.recipe.yaml import describe
from reid.registry import nearest
from reid.tricks import TRICKS


def switch_on(recipe: Recipe, name: str, knobs: Mapping[str, float] | None, where: str) -> Recipe:
    """`recipe` with the trick `name` on, its knobs at the paper's values unless given.

    Raises InputError that begins with `where` for a trick or a knob that there is not, and for a value that breaks a
    rule.
    """
    trick = TRICKS.find(name, where)
    for knob in knobs or {}:
        if knob not in trick.knobs:
            raise InputError(f"{where}.{knob}: unknown knob{nearest(knob, list(trick.knobs))}")
    try:
        return trick.apply(recipe, **(knobs or {}))
    except ValidationError as error:
        raise InputError(f"{where}: {describe(error, Recipe)}") from error
