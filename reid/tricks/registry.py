"""The tricks by name, and the door for tricks from outside."""

from reid.errors import InputError
from reid.recipe import Recipe
from reid.recipe.yaml import parse
from reid.registry import Registry, nearest
from reid.tricks.base import Trick

TRICKS: Registry[Trick] = Registry("trick")


def register_trick(trick: Trick) -> Trick:
    """Add a trick; it can then be a factor of a grid and a trick of a study.

    Raises InputError where its name is taken, or a recipe has no such field as it sets, requires or conflicts with.
    """
    known = Recipe.paths()
    words = [word.partition("=")[0] for word in (*trick.requires, *trick.conflicts_with) if "=" in word]
    for field in (*sorted(trick.fields), *words):
        if field not in known:
            raise InputError(f"trick {trick.name}: a recipe has no field {field!r}{nearest(field, known)}")
    return TRICKS.register(trick.name, trick)


def broken_rule(trick: Trick, recipe: Recipe) -> str | None:
    """What `trick`, which is on in `recipe`, requires there in vain or conflicts with; None where all is well.

    Raises InputError for a rule that names a trick there is not.
    """
    for word in trick.requires:
        if not _holds(word, recipe, f"trick {trick.name}: requires"):
            return f"{trick.name} requires {word}"
    for word in trick.conflicts_with:
        if _holds(word, recipe, f"trick {trick.name}: conflicts_with"):
            return f"{trick.name} conflicts with {word}"
    return None


def _holds(word: str, recipe: Recipe, where: str) -> bool:
    """Whether a trick is on, or a field has the value that `field=value` gives it."""
    path, equals, value = word.partition("=")
    if equals:
        return bool(recipe.flat()[path] == recipe.set({path: parse(value, f"{where} {word}")}).flat()[path])
    return TRICKS.find(word, where).is_on(recipe)
