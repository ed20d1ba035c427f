"""Random erasing augmentation."""

from reid.tricks.base import Knob, MethodCard, Trick

RANDOM_ERASING = Trick(
    name="random_erasing",
    short="REA",
    title="Random erasing augmentation",
    card=MethodCard(
        idea="Overwrite a random rectangle of a training image, so that no single part of a person decides: imitates "
        "occlusion.",
        formula="with probability p: area ~ U(0.02, 0.4)·H·W, aspect ~ U(0.3, 1/0.3), filled with a constant",
        source="Zhong et al. 2017 (arXiv:1708.04896); Luo et al. 2019, section 3.2. The fill is written after "
        "normalisation, a mid-light grey rather than the mean.",
        cost="None measurable: a mask on the batch.",
        interactions="Helps within a domain and hurts across domains (Luo et al. 2019, table 3).",
    ),
    knobs={"probability": Knob("erasing.probability", default=0.5, low=0.0, high=0.8)},
)
