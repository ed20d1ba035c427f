"""The six tricks of Luo et al. (CVPRW 2019) in the paper's order. Each changes the description, never the trainer."""

from reid.tricks.base import Card, Knob, Trick
from reid.tricks.bnneck import BNNECK
from reid.tricks.center_loss import CENTER_LOSS
from reid.tricks.label_smoothing import LABEL_SMOOTHING
from reid.tricks.last_stride import LAST_STRIDE
from reid.tricks.random_erasing import RANDOM_ERASING
from reid.tricks.warmup import WARMUP

TRICKS: dict[str, Trick] = {
    trick.name: trick for trick in (WARMUP, RANDOM_ERASING, LABEL_SMOOTHING, LAST_STRIDE, BNNECK, CENTER_LOSS)
}

__all__ = ["TRICKS", "Card", "Knob", "Trick"]
