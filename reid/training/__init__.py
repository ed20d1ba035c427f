"""The loop that trains one recipe, and what it is made of."""

from reid.training.events import STEP_FIELDS, Checkpoint, Diverged, Evaluated, Event, Steps, chance_level
from reid.training.loop import require_trainable, train
from reid.training.schedule import learning_rate

__all__ = [
    "STEP_FIELDS",
    "Checkpoint",
    "Diverged",
    "Evaluated",
    "Event",
    "Steps",
    "chance_level",
    "learning_rate",
    "require_trainable",
    "train",
]
