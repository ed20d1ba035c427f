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
    if name not in TRICKS:
        raise InputError(f"{where}: no such trick{nearest(name, list(TRICKS))}")
    known = TRICKS[name].knobs
    for knob in knobs or {}:
        if knob not in known:
            raise InputError(f"{where}.{knob}: unknown knob{nearest(knob, list(known))}")
    try:
        return TRICKS[name].apply(recipe, **(knobs or {}))
    except ValidationError as error:
        raise InputError(f"{where}: {describe(error, Recipe)}") from error
