"""The recipe: everything that defines one training but its seed. YAML in, frozen value out."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from reid.recipe.fields import (
    Augmentation,
    Backbone,
    Batch,
    Center,
    Circle,
    Classifier,
    ColorJitter,
    Erasing,
    Evaluation,
    IdLoss,
    Image,
    Neck,
    Optimizer,
    Pooling,
    RecipeSection,
    Schedule,
    Streams,
    Triplet,
)
from reid.recipe.losses import LOSS_SECTIONS, LossSection, OwnLosses


class Recipe(RecipeSection):
    """The standard baseline of Luo et al. (CVPRW 2019, Baseline-S) unless a field says otherwise."""

    image: Image = Image()
    augmentation: Augmentation = Augmentation()
    color_jitter: ColorJitter = ColorJitter()
    erasing: Erasing = Erasing()
    batch: Batch = Batch()
    backbone: Backbone = Backbone()
    pooling: Pooling = Pooling()
    neck: Neck = Neck()
    classifier: Classifier = Classifier()
    id_loss: IdLoss = IdLoss()
    triplet: Triplet = Triplet()
    center: Center = Center()
    circle: Circle = Circle()
    losses: OwnLosses = Field(default_factory=dict)
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    evaluation: Evaluation = Evaluation()
    streams: Streams = Streams()

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        own = sum(section.weight for section in self.losses.values())
        if self.id_loss.weight == self.triplet.weight == self.circle.weight == own == 0:
            raise ValueError("id_loss.weight, triplet.weight and circle.weight are all 0: give one of them a weight")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Without a loss from outside and other streams, a recipe reads and is signed as before there were any.
        tree: dict[str, Any] = serialize(self)
        if not self.losses:
            tree.pop("losses", None)
        if not self.streams.variant:
            tree.pop("streams", None)
        return tree

    def set(self, fields: Mapping[str, Any]) -> "Recipe":
        """A copy with dotted fields replaced, e.g. ``recipe.set({"triplet.margin": "soft"})``; validated anew.

        Raises KeyError for a field that no recipe has.
        """
        tree = self.model_dump()
        known = self.paths()
        for path, value in fields.items():
            if path not in known:
                raise KeyError(path)
            *sections, field = path.split(".")
            place = tree
            for section in sections:
                place = place.setdefault(section, {})
            place[field] = value
        return Recipe.model_validate(tree)

    @classmethod
    def sections(cls) -> dict[str, type[RecipeSection]]:
        """The class of every section by name, those of registered losses included, in declaration order."""
        found: dict[str, type[RecipeSection]] = {}
        for name, field in cls.model_fields.items():
            if name == "losses":
                found |= {f"losses.{loss}": section for loss, section in LOSS_SECTIONS.items()}
            else:
                found[name] = type(field.default)
        return found

    @classmethod
    def paths(cls) -> list[str]:
        """The dotted path of every field, in declaration order."""
        return [f"{name}.{field}" for name, section in cls.sections().items() for field in section.model_fields]

    def own_loss(self, name: str) -> LossSection:
        """The section `losses.NAME`, of a loss registered from outside."""
        return self.losses.get(name) or LOSS_SECTIONS[name]()

    def flat(self) -> dict[str, Any]:
        """The value of every field by its dotted path, in declaration order."""
        sections = self.model_dump() | {"streams": self.streams.model_dump()}
        sections |= {f"losses.{name}": self.own_loss(name).model_dump() for name in LOSS_SECTIONS}
        return {f"{name}.{field}": value for name in self.sections() for field, value in sections[name].items()}

    def signature(self) -> str:
        """16 hexadecimal digits that name this recipe."""
        return digest(self.model_dump(mode="json"))


def digest(value: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
