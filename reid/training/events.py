"""What training yields. Who reads decides what to do with it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from torch import Tensor

from reid.evaluation import Ranking
from reid.models import Loaded


@dataclass(frozen=True)
class Steps:
    """The iterations since the last event, a row each: `iteration` and `epoch` from 1, then `step_fields`."""

    rows: pd.DataFrame


@dataclass(frozen=True)
class TrainingState:
    """A training after a whole epoch: with the recipe, the data and the seed it continues bit for bit.

    `model` holds the weights that are evaluated and kept, `trained` those that are trained: the same unless weights are
    averaged. `centers` (num_classes, D) are those of the centre loss.
    """

    epoch: int
    iteration: int
    model: dict[str, Tensor]
    trained: dict[str, Tensor]
    optimizer: dict[str, Any]
    centers: Tensor


@dataclass(frozen=True)
class Checkpoint:
    """The end of a whole epoch. `state` shares memory with the live model."""

    epoch: int
    state: TrainingState


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


Event = Loaded | Steps | Checkpoint | Evaluated | Diverged
