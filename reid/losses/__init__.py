"""The three losses of the strong baseline as functions."""

from reid.losses.center import center_loss, move_centers
from reid.losses.label_smoothing import label_smoothing_cross_entropy
from reid.losses.triplet import TripletResult, batch_hard_triplet

__all__ = ["TripletResult", "batch_hard_triplet", "center_loss", "label_smoothing_cross_entropy", "move_centers"]
