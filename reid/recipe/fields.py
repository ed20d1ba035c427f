"""The sections of a recipe and their fields."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from reid.recipe.backbones import known_backbone

Probability = Annotated[float, Field(ge=0, le=1)]


NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


Count = Annotated[int, Field(ge=1)]


# A name of a folder: none that is hidden, an option, or longer than file systems take with an ending.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]


def _listed(seeds: object) -> object:
    """A number of seeds is answered with the list that it most likely means."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        several = f"{list(range(seeds))} for {seeds} of them, or " if 2 <= seeds <= 20 else ""
        raise ValueError(f"must be a list of seeds: {several}[{seeds}] for this one")
    return seeds


Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), BeforeValidator(_listed)]


Side = Annotated[int, Field(ge=16, le=4096)]


Triple = tuple[float, float, float]


RECORDED = {"recorded": True}  # context of a recipe of a run there was, which may hold what is refused today


class RecipeSection(BaseModel):
    """A group of recipe fields. Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Image(RecipeSection):
    """Input of the network: (height, width) in pixels and the normalisation constants (of 0..1 values)."""

    size: tuple[Side, Side] = (256, 128)
    mean: Triple = (0.485, 0.456, 0.406)
    std: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)


class Augmentation(RecipeSection):
    """Horizontal flip with a probability, then zero padding by `pad` pixels a side and a random crop back.

    `auto_augment` is the probability of a learned ImageNet policy before both (Cubuk et al. 2019).
    """

    auto_augment: Probability = 0.0
    flip: Probability = 0.5
    pad: Annotated[int, Field(ge=0)] = 10


class ColorJitter(RecipeSection):
    """Random brightness, contrast, saturation and hue, in random order, with a probability. Ranges are fast-reid's."""

    probability: Probability = 0.0
    brightness: Probability = 0.15
    contrast: Probability = 0.15
    saturation: Probability = 0.1
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1


class Erasing(RecipeSection):
    """Random erasing (Zhong et al. 2017). `fill` is written `when`: after normalisation, as reid-strong-baseline does
    (a mid grey), or before it, as fast-reid does (the mean: 0 in the end).
    """

    probability: Probability = 0.0
    area: tuple[Probability, Probability] = (0.02, 0.4)
    aspect: Annotated[float, Field(gt=0, le=1)] = 0.3
    fill: Triple = (0.485, 0.456, 0.406)
    when: Literal["after", "before"] = "after"

    @model_validator(mode="after")
    def _from_small_to_large(self, info: ValidationInfo) -> Self:
        if self.area[0] > self.area[1] and info.context != RECORDED:
            raise ValueError(f"area must be the smallest and the largest share, in this order, found {list(self.area)}")
        return self


class Batch(RecipeSection):
    """P identities x K images of each."""

    identities: Annotated[int, Field(ge=2)] = 16
    images: Count = 4


class Backbone(RecipeSection):
    """Convolutional trunk, one of `reid list backbones` or "timm:NAME".

    `pretrained` is "imagenet", "none" or a state dict's path.

    `stem_relu` is off by default: the reference leaves the ReLU after the first convolution of plain ResNets out. The
    other trunks always have theirs.
    """

    name: Annotated[str, AfterValidator(known_backbone)] = "resnet50"
    last_stride: Literal[1, 2] = 2
    stem_relu: bool = False
    pretrained: str = "imagenet"


class Pooling(RecipeSection):
    """From a feature map to f_t: average, max, or generalised mean (Radenović et al. 2018) with a power that is `p`,
    or starts there if `learned`.
    """

    kind: Literal["average", "max", "gem"] = "average"
    p: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 3.0
    learned: bool = False


class Neck(RecipeSection):
    """What stands between the pooled feature f_t and the classifier: nothing, or batch normalisation (f_i)."""

    kind: Literal["none", "bnneck"] = "none"


class Classifier(RecipeSection):
    """Linear classifier: its bias, and torch's default initialisation or N(0, 0.001)."""

    bias: bool = True
    init: Literal["default", "normal"] = "default"


class IdLoss(RecipeSection):
    """Cross-entropy over identities with label smoothing `epsilon`."""

    weight: NonNegative = 1.0
    epsilon: Probability = 0.0


class Triplet(RecipeSection):
    """Batch-hard triplet loss on f_t with a margin, or "soft" for log(1 + exp(ap - an))."""

    weight: NonNegative = 1.0
    margin: NonNegative | Literal["soft"] = 0.3


class Center(RecipeSection):
    """Centre loss on f_t. Weight 0 is off. `learning_rate` moves the centres, whatever the weight."""

    weight: NonNegative = 0.0
    learning_rate: Positive = 0.5


class Circle(RecipeSection):
    """Circle loss on pairs of f_t at unit length (Sun et al. 2020), with fast-reid's constants. Weight 0 is off."""

    weight: NonNegative = 0.0
    margin: Annotated[float, Field(ge=0, le=1)] = 0.25
    gamma: Positive = 128.0


class Optimizer(RecipeSection):
    """Adam or SGD with L2-coupled weight decay; biases have a learning-rate factor and a decay of their own.

    `ema` is the decay of an exponential moving average of the weights, which is then what is evaluated and kept; 0 is
    off.
    """

    name: Literal["adam", "sgd"] = "adam"
    weight_decay: NonNegative = 5e-4
    bias_factor: Positive = 1.0
    bias_weight_decay: NonNegative = 5e-4
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Schedule(RecipeSection):
    """Learning rate by epoch: `base`, times `gamma` at every milestone, or along half a cosine; after a warm-up over
    whole epochs, 0 or at least 2, as one is none. The trunk is not trained during the first `freeze_epochs`.
    """

    base: Positive = 3.5e-4
    epochs: Count = 120
    decay: Literal["steps", "cosine"] = "steps"
    milestones: tuple[Count, ...] = (40, 70)
    gamma: Positive = 0.1
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    warmup_factor: Probability = 0.01
    warmup: Literal["linear", "constant"] = "linear"
    freeze_epochs: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _nothing_is_without_effect(self, info: ValidationInfo) -> Self:
        if info.context == RECORDED:
            return self
        if self.warmup_epochs == 1:
            raise ValueError("warmup_epochs must be 0, or 2 and more: a warm-up of one epoch is none; found 1")
        ascending = all(earlier < later for earlier, later in pairwise(self.milestones))
        if self.decay == "steps" and not (ascending and max(self.milestones, default=0) <= self.epochs):
            raise ValueError(
                f"milestones must ascend and be within the {self.epochs} epochs, found {list(self.milestones)}; "
                "set them too, to [] for none"
            )
        return self


class Evaluation(RecipeSection):
    """What is ranked and how. `every` counts epochs; the last epoch is always evaluated.

    `flip` takes the mean of an image's feature and its mirror image's. `rerank` ranks by k-reciprocal distances
    (Zhong et al. 2017): `rerank_k1` neighbours make a set, weights are the mean over `rerank_k2`, and `rerank_lambda`
    is the share of the original distance. Defaults are the paper's.
    """

    feature: Literal["before", "after"] = "before"
    metric: Literal["cosine", "euclidean"] = "cosine"
    flip: bool = False
    rerank: bool = False
    rerank_k1: Count = 20
    rerank_k2: Count = 6
    rerank_lambda: Probability = 0.3
    every: Count = 40
    batch: Count = 128
    max_rank: Count = 50

    @model_validator(mode="after")
    def _means_over_neighbours(self) -> Self:
        if self.rerank_k2 > self.rerank_k1:
            raise ValueError(f"rerank_k2 must be at most rerank_k1, found {self.rerank_k2} and {self.rerank_k1}")
        return self


class Streams(RecipeSection):
    """Which of many equal sets of random streams a seed draws from: another `variant` is another training of the same
    recipe. A placebo in a grid sets it, to show what an effect of nothing looks like.
    """

    variant: Annotated[int, Field(ge=0)] = 0
