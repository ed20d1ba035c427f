"""The recipe: everything that defines one training but its seed. YAML in, frozen value out."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Probability = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Triple = tuple[float, float, float]

BackboneName = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet10_narrow"]


class Slot(BaseModel):
    """A group of recipe fields. Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Image(Slot):
    """Input of the network: (height, width) in pixels and the normalisation constants (of 0..1 values)."""

    size: tuple[Annotated[int, Field(ge=16)], Annotated[int, Field(ge=16)]] = (256, 128)
    mean: Triple = (0.485, 0.456, 0.406)
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)


class Augmentation(Slot):
    """Horizontal flip with a probability, then zero padding by `pad` pixels a side and a random crop back."""

    flip: Probability = 0.5
    pad: Annotated[int, Field(ge=0)] = 10


class Erasing(Slot):
    """Random erasing (Zhong et al. 2017). `fill` is written after normalisation, as the reference does."""

    probability: Probability = 0.0
    area: tuple[Probability, Probability] = (0.02, 0.4)
    aspect: Annotated[float, Field(gt=0, le=1)] = 0.3
    fill: Triple = (0.485, 0.456, 0.406)


class Batch(Slot):
    """P identities x K images of each."""

    identities: Annotated[int, Field(ge=2)] = 16
    images: Count = 4


class Backbone(Slot):
    """Convolutional trunk. `pretrained` is "imagenet", "none" or the path of a state dict.

    `stem_relu` is off by default: the reference leaves the ReLU after the first convolution out.
    """

    name: BackboneName = "resnet50"
    last_stride: Literal[1, 2] = 2
    stem_relu: bool = False
    pretrained: str = "imagenet"


class Neck(Slot):
    """What stands between the pooled feature f_t and the classifier: nothing, or batch normalisation (f_i)."""

    kind: Literal["none", "bnneck"] = "none"


class Classifier(Slot):
    """Linear classifier: its bias, and torch's default initialisation or N(0, 0.001)."""

    bias: bool = True
    init: Literal["default", "normal"] = "default"


class IdLoss(Slot):
    """Cross-entropy over identities with label smoothing `epsilon`."""

    weight: NonNegative = 1.0
    epsilon: Probability = 0.0


class Triplet(Slot):
    """Batch-hard triplet loss on f_t with a margin, or "soft" for log(1 + exp(ap - an))."""

    weight: NonNegative = 1.0
    margin: NonNegative | Literal["soft"] = 0.3


class Center(Slot):
    """Centre loss on f_t. Weight 0 is off. `learning_rate` moves the centres, whatever the weight."""

    weight: NonNegative = 0.0
    learning_rate: Positive = 0.5


class Optimizer(Slot):
    """Adam or SGD with L2-coupled weight decay; biases have a learning-rate factor and a decay of their own."""

    name: Literal["adam", "sgd"] = "adam"
    weight_decay: NonNegative = 5e-4
    bias_factor: Positive = 1.0
    bias_weight_decay: NonNegative = 5e-4
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9


class Schedule(Slot):
    """Learning rate by epoch: `base`, times `gamma` at every milestone, after a warm-up over whole epochs."""

    base: Positive = 3.5e-4
    epochs: Count = 120
    milestones: tuple[Count, ...] = (40, 70)
    gamma: Positive = 0.1
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    warmup_factor: Probability = 0.01
    warmup: Literal["linear", "constant"] = "linear"


class Evaluation(Slot):
    """What is ranked and how. `every` counts epochs; the last epoch is always evaluated."""

    feature: Literal["before", "after"] = "before"
    metric: Literal["cosine", "euclidean"] = "cosine"
    every: Count = 40
    batch: Count = 128
    max_rank: Count = 50


class Recipe(Slot):
    """The standard baseline of Luo et al. (CVPRW 2019, Baseline-S) unless a field says otherwise."""

    image: Image = Image()
    augmentation: Augmentation = Augmentation()
    erasing: Erasing = Erasing()
    batch: Batch = Batch()
    backbone: Backbone = Backbone()
    neck: Neck = Neck()
    classifier: Classifier = Classifier()
    id_loss: IdLoss = IdLoss()
    triplet: Triplet = Triplet()
    center: Center = Center()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if self.id_loss.weight == 0 and self.triplet.weight == 0:
            raise ValueError("id_loss.weight and triplet.weight are both 0: give at least one of them a weight")
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
