"""Pretrained trunks (ImageNet weights from torch's hub cache, or a state dict from a path) and whole checkpoints."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from reid.errors import InputError
from reid.models.backbones.build import LAYERS
from reid.models.baseline import Baseline
from reid.models.weights_file import read_weights
from reid.recipe import TIMM, Backbone, Recipe

HEADS = ("fc.", "last_linear.", "head.", "classifier.", "bottleneck.")  # what stands behind a trunk, in any repository


@dataclass(frozen=True)
class Loaded:
    """What became of a file of weights: how many tensors were taken over, and the names of those left out."""

    file: Path
    taken: int
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        left_out = f", left out {', '.join(self.left_out)}" if self.left_out else ""
        return f"{self.file}: {self.taken} tensors loaded{left_out}"


def pretrained_file(backbone: Backbone) -> Path | None:
    """Where the weights that a recipe asks for lie, None if it asks for none.

    Raises InputError where they are absent. Nothing is downloaded: a training on a cluster must not depend on a
    network, and sixty-four workers must not fetch one file at once.
    """
    if backbone.pretrained == "none":
        return None
    if backbone.pretrained != "imagenet":
        file = Path(os.path.expanduser(backbone.pretrained))  # noqa: PTH111 - never raises
        if not file.is_file():
            raise InputError(
                f"backbone.pretrained: no such file {file}; give the path of a state dict, 'imagenet' or 'none'"
            )
        return file
    if backbone.name == "resnet10_narrow":
        raise InputError("backbone.pretrained: no ImageNet weights exist for resnet10_narrow; set it to 'none'")
    if backbone.name not in LAYERS:
        raise InputError(
            f"backbone.pretrained: 'imagenet' is torchvision's weights, which has none of {backbone.name}; "
            "set it to the path of a state dict or to 'none'"
        )
    from torchvision.models import get_model_weights  # a second of import, for who needs it only

    url = get_model_weights(backbone.name)["IMAGENET1K_V1"].url
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if not file.is_file():
        raise InputError(
            f"backbone.pretrained: ImageNet weights of {backbone.name} not found at {file}; "
            f"download {url} there, or set backbone.pretrained to a path or to 'none'"
        )
    return file


def load_pretrained(model: Baseline, recipe: Recipe) -> Loaded | None:
    """Copy the weights that the recipe asks for into the trunk of `model`; None if it asks for none.

    Names are those of the trunk in its own repository or, in a checkpoint of reid-strong-baseline or of ours, after
    "base.". Classifiers are left out. Raises InputError as `read_weights`, and where the file does not fit the trunk.
    """
    file = pretrained_file(recipe.backbone)
    if file is None:
        return None
    weights = {n.removeprefix("base."): tensor for n, tensor in read_weights(file, "backbone.pretrained").items()}
    trunk = model.base.net if recipe.backbone.name.startswith(TIMM) else model.base
    assert isinstance(trunk, nn.Module)
    return _copy(weights, trunk, HEADS, file, f"backbone.pretrained: {file} does not fit {recipe.backbone.name}")


def load_checkpoint(model: Baseline, file: Path, key: str = "--checkpoint") -> Loaded:
    """Copy a trained network, as reid-strong-baseline or a run here saves it, into `model`, all but its classifier.

    Raises InputError that begins with `key` as `read_weights`, and where the file does not fit the recipe that `model`
    was built from.
    """
    weights = read_weights(file, key)
    return _copy(weights, model, ("classifier.", "base.fc."), file, f"{key}: {file} does not fit the recipe")


def _copy(weights: dict[str, Tensor], module: nn.Module, heads: tuple[str, ...], file: Path, refusal: str) -> Loaded:
    """`weights` into `module`, names that begin like a head left out; all the others must be there and fit."""
    left_out = tuple(name for name in weights if name.startswith(heads))
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith(heads)}
    wanted = {name: value.shape for name, value in module.state_dict().items() if not name.startswith(heads)}
    missing = [name for name in wanted if name not in weights and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in weights if name not in wanted]
    if missing or unexpected:
        raise InputError(
            f"{refusal}: {len(missing)} tensors missing, {len(unexpected)} unexpected "
            f"(first: {[*missing, *unexpected][0]}); give weights of that network"
        )
    for name, tensor in weights.items():
        if tensor.shape != wanted[name]:
            raise InputError(
                f"{refusal}: {name} is {tuple(tensor.shape)}, must be {tuple(wanted[name])}; "
                "give weights of that network"
            )
    module.load_state_dict(weights, strict=False)
    return Loaded(file, len(weights), left_out)
