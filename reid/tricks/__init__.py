"""The tricks by name: the six of Luo et al. (CVPRW 2019) first. Each changes the recipe, never the trainer."""

from reid.tricks.base import Knob, MethodCard, Trick
from reid.tricks.bnneck import BNNECK
from reid.tricks.center_loss import CENTER_LOSS
from reid.tricks.label_smoothing import LABEL_SMOOTHING
from reid.tricks.last_stride import LAST_STRIDE
from reid.tricks.random_erasing import RANDOM_ERASING
from reid.tricks.registry import TRICKS, register_trick
from reid.tricks.warmup import WARMUP

for _trick in (WARMUP, RANDOM_ERASING, LABEL_SMOOTHING, LAST_STRIDE, BNNECK, CENTER_LOSS):
    register_trick(_trick)

Card = MethodCard  # as it was called before

__all__ = ["TRICKS", "Card", "Knob", "MethodCard", "Trick", "register_trick"]
