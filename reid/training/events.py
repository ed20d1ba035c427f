"""What training yields. Who reads decides what to do with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reid.evaluation import Ranking

# One value an iteration; a loss that is off is NaN in its two columns.
STEP_FIELDS = (
    "learning_rate", "id_loss", "triplet_loss", "center_loss", "id_weighted", "triplet_weighted", "center_weighted",
    "total_loss", "accuracy", "active_triplets", "dist_ap", "dist_an", "gradient_norm",
)  # fmt: skip


@dataclass(frozen=True)
class Steps:
    """The iterations since the last event, a row each: `iteration` and `epoch` from 1, then STEP_FIELDS."""

    rows: pd.DataFrame


@dataclass(frozen=True)
class Checkpoint:
    """The end of a whole epoch. `state` continues the training bit for bit; it shares memory with the live model."""

    epoch: int
    state: dict[str, Any]


@dataclass(frozen=True)
class Evaluated:
    """Query ranking after `epoch`."""

    epoch: int
    ranking: Ranking


@dataclass(frozen=True)
class Diverged:
    """The training cannot go on: a loss or a feature is not finite. The last event."""

    epoch: int
    reason: str


Event = Steps | Checkpoint | Evaluated | Diverged


def chance_level(last_epoch: pd.DataFrame, num_classes: int, mAP: float, random_mAP: float) -> str | None:
    """Why a training that ran to its end learnt nothing, or None if it did learn.

    It has learnt nothing when over its last epoch the ID loss is not below that of guessing, log(num_classes) nats,
    accuracy is not above twice that of guessing, and mAP is not above twice that of a random order. All three, since
    one loss may teach the feature what the other does not.
    """
    id_loss, accuracy = float(last_epoch["id_loss"].mean()), float(last_epoch["accuracy"].mean())
    guess = np.log(num_classes)
    if id_loss < 0.99 * guess or accuracy > 2 / num_classes or mAP > 2 * random_mAP:
        return None
    return f"chance level: mAP {100 * mAP:.1f} % where a random order scores {100 * random_mAP:.1f} %"
