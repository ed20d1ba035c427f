"""The recipe: everything that defines one training but its seed. YAML in, frozen value out."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

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
    Schedule,
    Slot,
    Triplet,
)


class Recipe(Slot):
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
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if self.id_loss.weight == self.triplet.weight == self.circle.weight == 0:
            raise ValueError("id_loss.weight, triplet.weight and circle.weight are all 0: give one of them a weight")
        return self

    def set(self, fields: Mapping[str, Any]) -> "Recipe":
        """A copy with dotted fields replaced, e.g. ``recipe.set({"triplet.margin": "soft"})``; validated anew."""
        tree = self.model_dump()
        for path, value in fields.items():
            slot, _, field = path.partition(".")
            if slot not in tree or field not in tree[slot]:
                raise KeyError(path)
            tree[slot][field] = value
        return Recipe.model_validate(tree)

    def flat(self) -> dict[str, Any]:
        """Every field by its dotted path, in declaration order."""
        return {
            f"{slot}.{field}": value for slot, fields in self.model_dump().items() for field, value in fields.items()
        }

    def signature(self) -> str:
        """16 hexadecimal digits that name this recipe."""
        return digest(self.model_dump(mode="json"))


def digest(value: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
