"""Ablation platform for the person re-identification strong baseline.

The names below are the library. Each is imported when it is first used, so that `import reid` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reid.api.analysis import effects, interactions, ladder, read_runs, shapley
    from reid.api.data import open_dataset
    from reid.api.report import write_report
    from reid.api.training import evaluate, train
    from reid.data import load_dataset
    from reid.evaluation import rank, rerank
    from reid.models import build_model
    from reid.recipe import Recipe
    from reid.tricks import TRICKS, Knob, Trick

__version__ = "0.1.0"

_PLACES = {
    "reid.api.analysis": ("effects", "interactions", "ladder", "read_runs", "shapley"),
    "reid.api.data": ("open_dataset",),
    "reid.api.report": ("write_report",),
    "reid.api.training": ("evaluate", "train"),
    "reid.data": ("load_dataset",),
    "reid.evaluation": ("rank", "rerank"),
    "reid.models": ("build_model",),
    "reid.recipe": ("Recipe",),
    "reid.tricks": ("TRICKS", "Knob", "Trick"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "TRICKS",
    "Knob",
    "Recipe",
    "Trick",
    "build_model",
    "effects",
    "evaluate",
    "interactions",
    "ladder",
    "load_dataset",
    "open_dataset",
    "rank",
    "read_runs",
    "rerank",
    "shapley",
    "train",
    "write_report",
]


if not TYPE_CHECKING:  # to the type checker every other name is an error

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module 'reid' has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
