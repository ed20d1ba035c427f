"""The sections of losses that were registered from outside: `losses.NAME` of a recipe."""

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, create_model

from reid.recipe.fields import NonNegative, RecipeSection
from reid.registry import Registry, nearest


class LossSection(RecipeSection):
    """The fields of a loss: its weight in the sum that is minimised, 0 for off, and what a subclass adds.

    Every field has a default.
    """

    weight: NonNegative = 0.0


LOSS_SECTIONS: Registry[type[LossSection]] = Registry("loss")  # of losses from outside
LOSS_TITLES: Registry[str] = Registry(  # of all losses
    "loss", {"id": "ID loss", "triplet": "triplet loss", "center": "centre loss", "circle": "circle loss"}
)


def _validated(tree: Any) -> Any:
    """Sections by name, those that stand at their defaults left out, so that a loss that is off leaves no trace."""
    if not isinstance(tree, dict):
        return tree
    for name in tree:
        if name not in LOSS_SECTIONS:
            known = nearest(str(name), list(LOSS_SECTIONS)) if LOSS_SECTIONS else "; none is registered"
            raise ValueError(f"no such loss {name!r}{known}; name the file that registers it under plugins")
    fields: dict[str, Any] = {name: (LOSS_SECTIONS[name], LOSS_SECTIONS[name]()) for name in tree}
    sections = create_model("losses", __base__=RecipeSection, **fields).model_validate(tree)
    return {name: section for name in tree if (section := getattr(sections, name)) != LOSS_SECTIONS[name]()}


OwnLosses = Annotated[dict[str, SerializeAsAny[LossSection]], BeforeValidator(_validated)]
