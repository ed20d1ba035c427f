"""The losses of the strong baseline as functions, and by name as a recipe weighs them."""

from reid.losses.center import center_loss, move_centers
from reid.losses.circle import circle_loss
from reid.losses.label_smoothing import label_smoothing_cross_entropy
from reid.losses.registry import LOSSES, Loss, LossInputs, register_loss
from reid.losses.triplet import TripletResult, batch_hard_triplet
from reid.recipe import LossSection

__all__ = [
    "LOSSES",
    "Loss",
    "LossInputs",
    "LossSection",
    "TripletResult",
    "batch_hard_triplet",
    "center_loss",
    "circle_loss",
    "label_smoothing_cross_entropy",
    "move_centers",
    "register_loss",
]
