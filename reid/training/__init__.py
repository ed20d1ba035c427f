"""The loop that trains one recipe, and what it is made of."""

from reid.training.diagnostics.collapse import learnt_nothing
from reid.training.diagnostics.oscillation import INDICES, measure_dynamics, oscillation
from reid.training.events import Checkpoint, Diverged, Evaluated, Event, Steps, TrainingState
from reid.training.loop import require_trainable, train
from reid.training.schedule import learning_rate
from reid.training.step import step_fields

__all__ = [
    "INDICES",
    "Checkpoint",
    "Diverged",
    "Evaluated",
    "Event",
    "Steps",
    "TrainingState",
    "learning_rate",
    "learnt_nothing",
    "measure_dynamics",
    "oscillation",
    "require_trainable",
    "step_fields",
    "train",
]
