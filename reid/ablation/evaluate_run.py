"""A trained run on another data set."""

from pathlib import Path
from typing import Any

import torch

from reid.ablation.execution import headline
from reid.data import load_dataset, open_dataset
from reid.errors import InputError
from reid.evaluation import evaluate
from reid.models import build_model
from reid.recipe import Recipe
from reid.run_folder import RunFolder


def evaluate_run(
    folder: RunFolder, root: Path, layout: str, cache: Path, device: str, skip_unreadable: bool
) -> dict[str, Any]:
    """mAP, mINP, rank-1/5/10 and counts of a finished run's model on the data set under `root`.

    Raises InputError where the run has no model, or the data set cannot be read.
    """
    if not folder.model.exists():
        raise InputError(f"run {folder.signature}: only a finished run can be evaluated, this one is {folder.state()}")
    recipe = Recipe.model_validate(folder.read("run")["recipe"])
    weights = torch.load(folder.model, map_location="cpu", weights_only=True)
    model = build_model(recipe, num_classes=len(weights["classifier.weight"]))
    model.load_state_dict(weights)
    data = open_dataset(load_dataset(layout, root), recipe.image.size, cache, skip_unreadable)
    ranking = evaluate(model.to(device), data, recipe, torch.device(device))
    return {
        "run": folder.signature,
        "dataset": str(root),
        "fingerprint": data.fingerprint,
        "feature": recipe.evaluation.feature,
        "metric": recipe.evaluation.metric,
        **headline(ranking),
        "queries": len(ranking.ap),
        "skipped": len(data.dataset.skipped),
    }
