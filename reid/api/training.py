"""Training and evaluation for programs."""

from collections.abc import Iterator

import torch

from reid.data import DecodedDataset
from reid.errors import InputError
from reid.evaluation import Ranking
from reid.evaluation import evaluate as evaluate_on
from reid.models import Baseline
from reid.recipe import Recipe
from reid.training import Event
from reid.training import train as train_on


def train(recipe: Recipe, data: DecodedDataset, seed: int = 0, device: str = "auto") -> Iterator[Event]:
    """Train `recipe` on `data` and yield what happens: Steps, Checkpoint, Evaluated, Diverged of `reid.training`.

    `device` is "auto" (CUDA where there is a device), "cpu" or a CUDA device. The weights are in
    `Checkpoint.state["model"]`, a state dict of `build_model(recipe, data.dataset.num_classes)`. Raises InputError
    where the recipe cannot be trained on the data, or its `image.size` is another than that of the decoded images.
    """
    _require_size(recipe, data)
    yield from train_on(recipe, data, seed, chosen_device(device))


def evaluate(model: Baseline, data: DecodedDataset, recipe: Recipe | None = None, device: str = "auto") -> Ranking:
    """Rank the queries of `data` by `model`, as `recipe` says (default: the standard baseline's evaluation).

    Raises InputError where no query has a match, or the recipe's `image.size` is not that of the decoded images.
    """
    recipe = recipe or Recipe()
    data.dataset.require_evaluable()
    _require_size(recipe, data)
    place = chosen_device(device)
    return evaluate_on(model.to(place), data, recipe, place)


def chosen_device(device: str) -> torch.device:
    """The device that "auto", "cpu" or a name of CUDA's means."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def _require_size(recipe: Recipe, data: DecodedDataset) -> None:
    found = data.pixels["query"].shape[1:3]
    if tuple(found) != recipe.image.size:
        height, width = recipe.image.size
        raise InputError(
            f"image.size: the recipe has {height}x{width}, the data set is decoded at {found[0]}x{found[1]}; "
            "open it with size=recipe.image.size"
        )
