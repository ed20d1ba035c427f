"""The three losses of the strong baseline, and circle loss, as functions."""

from reid.losses.center import center_loss, move_centers
from reid.losses.circle import circle_loss
from reid.losses.label_smoothing import label_smoothing_cross_entropy
from reid.losses.triplet import TripletResult, batch_hard_triplet

__all__ = [
    "TripletResult",
    "batch_hard_triplet",
    "center_loss",
    "circle_loss",
    "label_smoothing_cross_entropy",
    "move_centers",
]
