"""Pretrained trunks: ImageNet weights from torch's hub cache, or a state dict from a path."""

from pathlib import Path

import torch
from torchvision.models import get_model_weights

from reid.errors import InputError
from reid.models.baseline import Baseline
from reid.recipe import Backbone, Recipe


def pretrained_file(backbone: Backbone) -> Path | None:
    """Where the weights that a recipe asks for lie, None if it asks for none.

    Raises InputError where they are absent. Nothing is downloaded: a training on a cluster must not depend on a
    network, and sixty-four workers must not fetch one file at once.
    """
    if backbone.pretrained == "none":
        return None
    if backbone.pretrained != "imagenet":
        file = Path(backbone.pretrained)
        if not file.is_file():
            raise InputError(
                f"backbone.pretrained: no such file {file}; give the path of a state dict, 'imagenet' or 'none'"
            )
        return file
    if backbone.name == "resnet10_narrow":
        raise InputError("backbone.pretrained: no ImageNet weights exist for resnet10_narrow; set it to 'none'")
    url = get_model_weights(backbone.name)["IMAGENET1K_V1"].url
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if not file.is_file():
        raise InputError(
            f"backbone.pretrained: ImageNet weights of {backbone.name} not found at {file}; "
            f"download {url} there, or set backbone.pretrained to a path or to 'none'"
        )
    return file


def load_pretrained(model: Baseline, recipe: Recipe) -> None:
    """Copy the weights that the recipe asks for into the trunk of `model`.

    The classifier of the file (`fc.*`) is left out. Raises InputError where the file is absent, is not a state dict
    or does not fit the trunk.
    """
    file = pretrained_file(recipe.backbone)
    if file is None:
        return
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
        weights = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
        missing, unexpected = model.base.load_state_dict(weights, strict=False)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"backbone.pretrained: {file} is not a state dict of {recipe.backbone.name} ({reason}); give one that is"
        ) from error
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise InputError(
            f"backbone.pretrained: {file} does not fit {recipe.backbone.name}: {len(missing)} tensors missing, "
            f"{len(unexpected)} unexpected (first: {[*missing, *unexpected][0]}); "
            f"give weights of {recipe.backbone.name}"
        )
