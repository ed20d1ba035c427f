"""A trained run, or a checkpoint from elsewhere, on another data set."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from reid.data import Cameras, load_dataset, open_dataset
from reid.errors import InputError
from reid.evaluation import evaluate
from reid.models import Baseline, build_model, load_checkpoint
from reid.recipe import Recipe
from reid.recipe.yaml import describe
from reid.registry import activate, active_plugins
from reid.store.run_folder import RunFolder
from reid.store.shared_training import source_of


@dataclass(frozen=True)
class TestSet:
    """The data set under `root` that is evaluated on, where its decoded images are kept, and on which device."""

    __test__ = False  # no class of tests

    root: Path
    layout: str
    cache: Path
    device: str
    skip_unreadable: bool = False
    cameras: Cameras = "labelled"


def evaluate_run(folder: RunFolder, on: TestSet) -> dict[str, object]:
    """mAP, mINP, rank-1/5/10 and counts of a finished run's model on a data set.

    Its training images, if there are any, are not decoded. Raises InputError where the run has no model or was trained
    for tuning, or the data set cannot be read or has no query with a match.
    """
    model_file = source_of(folder).model
    if not model_file.exists():
        state = folder.read_state().state
        raise InputError(f"run {folder.signature}: only a finished run can be evaluated, this one is {state}")
    asked = folder.require_run()
    if asked.dataset.split is not None:
        raise InputError(
            f"run {folder.signature}: was trained with a validation split, for tuning; "
            "train its recipe without `split` and evaluate that"
        )
    activate([*active_plugins(), *asked.plugins])
    try:
        recipe = asked.recipe.load()
    except ValidationError as error:
        line = describe(error, Recipe)
        raise InputError(f"run {folder.signature}: {line}; evaluate it with the version that trained it") from error
    model = build_model(recipe, num_classes=1)  # its classifier is not part of a feature
    load_checkpoint(model, model_file, f"run {folder.signature}")
    return {"run": folder.signature, **_measures(model, recipe, on)}


def evaluate_checkpoint(file: Path, recipe: Recipe, on: TestSet) -> dict[str, object]:
    """The same of the network in `file`, which reid-strong-baseline or a run here trained by `recipe`; and how many of
    its tensors were loaded and which were left out. Raises InputError as `load_checkpoint` does too.
    """
    model = build_model(recipe, num_classes=1)  # its classifier is not part of a feature
    loaded = load_checkpoint(model, file)
    origin = {"checkpoint": str(file), "loaded": loaded.taken, "left_out": list(loaded.left_out)}
    return origin | _measures(model, recipe, on)


def _measures(model: Baseline, recipe: Recipe, on: TestSet) -> dict[str, object]:
    dataset = load_dataset(on.layout, on.root, on.root.expanduser().resolve().name, on.cameras)
    dataset.require_evaluable()
    data = open_dataset(dataset, recipe.image.size, on.cache, on.skip_unreadable, splits=("query", "gallery"))
    data.dataset.require_evaluable()  # again: unreadable images may have been left out
    ranking = evaluate(model.to(on.device), data, recipe, torch.device(on.device))
    return {
        "dataset": str(on.root),
        "fingerprint": data.fingerprint,
        "feature": recipe.evaluation.feature,
        "metric": recipe.evaluation.metric,
        **ranking.scores().model_dump(),
        "queries": len(ranking.ap),
        "skipped": len(data.dataset.skipped),
        "notes": list(data.dataset.notes),
    }
