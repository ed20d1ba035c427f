"""Ablation platform for the person re-identification strong baseline.

The names below are the library. Each is imported when it is first used, so that `import reid` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reid.api.analysis import effects, interactions, ladder, read_runs, shapley
    from reid.api.data import open_dataset
    from reid.api.launch import run_grid, run_study
    from reid.api.report import write_report
    from reid.api.training import evaluate, train
    from reid.data import BenchmarkDataset, Dataset, Split, load_dataset, register_layout
    from reid.errors import InputError
    from reid.evaluation import Ranking, rank, rerank
    from reid.evaluation.own_metrics import register_metric
    from reid.losses import LossInputs, LossSection, register_loss
    from reid.models import build_model, register_backbone
    from reid.recipe import Recipe
    from reid.tricks import TRICKS, Knob, MethodCard, Trick, register_trick

__version__ = "0.1.0"

_PLACES = {
    "reid.api.analysis": ("effects", "interactions", "ladder", "read_runs", "shapley"),
    "reid.api.data": ("open_dataset",),
    "reid.api.launch": ("run_grid", "run_study"),
    "reid.api.report": ("write_report",),
    "reid.api.training": ("evaluate", "train"),
    "reid.data": ("BenchmarkDataset", "Dataset", "Split", "load_dataset", "register_layout"),
    "reid.errors": ("InputError",),
    "reid.evaluation": ("Ranking", "rank", "rerank"),
    "reid.evaluation.own_metrics": ("register_metric",),
    "reid.losses": ("LossInputs", "LossSection", "register_loss"),
    "reid.models": ("build_model", "register_backbone"),
    "reid.recipe": ("Recipe",),
    "reid.tricks": ("TRICKS", "Knob", "MethodCard", "Trick", "register_trick"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "TRICKS",
    "BenchmarkDataset",
    "Dataset",
    "InputError",
    "Knob",
    "LossInputs",
    "LossSection",
    "MethodCard",
    "Ranking",
    "Recipe",
    "Split",
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
    "register_backbone",
    "register_layout",
    "register_loss",
    "register_metric",
    "register_trick",
    "rerank",
    "run_grid",
    "run_study",
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
