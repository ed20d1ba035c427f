"""The loop that trains one recipe, and what it is made of."""

from reid.training.diagnostics.collapse import learnt_nothing
from reid.training.diagnostics.oscillation import INDICES, measure_dynamics, oscillation
from reid.training.events import STEP_FIELDS, Checkpoint, Diverged, Evaluated, Event, Steps, TrainingState
from reid.training.loop import require_trainable, train
from reid.training.schedule import learning_rate

__all__ = [
    "INDICES",
    "STEP_FIELDS",
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
    "train",
]
