"""The loop that trains one recipe, and what it is made of."""

from reid.recipe import Recipe
from reid.training.diagnostics.collapse import learnt_nothing
from reid.training.diagnostics.oscillation import INDICES, measure_dynamics, oscillation
from reid.training.events import Checkpoint, Diverged, Evaluated, Event, Steps, TrainingState
from reid.training.loop import require_trainable, train
from reid.training.schedule import learning_rate
from reid.training.step import step_fields

STEP_FIELDS = step_fields(Recipe())  # the columns of a recipe without losses from outside

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
    "step_fields",
    "train",
]
