"""The trunk that a recipe names."""

from collections.abc import Callable

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from reid.models.backbones.ibn import IBNTrunk
from reid.models.backbones.registry import BUILDERS, require_trunk
from reid.models.backbones.resnet import NarrowResNet, ResNetTrunk
from reid.models.backbones.senet import SENetTrunk
from reid.models.backbones.timm import TimmTrunk
from reid.recipe import TIMM, Backbone, Recipe
from reid.registry import BUILT_IN

LAYERS: dict[str, tuple[type[BasicBlock | Bottleneck], list[int]]] = {
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet34": (BasicBlock, [3, 4, 6, 3]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
    "resnet101": (Bottleneck, [3, 4, 23, 3]),
    "resnet152": (Bottleneck, [3, 8, 36, 3]),
}


def _resnet(name: str) -> Callable[[Backbone], nn.Module]:
    block, layers = LAYERS[name]
    return lambda backbone: ResNetTrunk(block, layers, backbone.last_stride, backbone.stem_relu)


def _senet(layers: list[int], grouped: bool) -> Callable[[Backbone], nn.Module]:
    return lambda backbone: SENetTrunk(layers, grouped, backbone.last_stride)


for _name in LAYERS:
    BUILDERS.register(_name, _resnet(_name))
for _depth in ("50", "101"):
    BUILDERS.register(f"se_resnet{_depth}", _senet(LAYERS[f"resnet{_depth}"][1], grouped=False))
    BUILDERS.register(f"se_resnext{_depth}", _senet(LAYERS[f"resnet{_depth}"][1], grouped=True))
BUILDERS.register("resnet50_ibn_a", lambda backbone: IBNTrunk("a", backbone.last_stride))
BUILDERS.register("resnet50_ibn_b", lambda backbone: IBNTrunk("b", backbone.last_stride))
BUILDERS.register("resnet10_narrow", lambda backbone: NarrowResNet(backbone.last_stride, backbone.stem_relu))


def build_backbone(backbone: Backbone) -> nn.Module:
    """The trunk, initialised from torch's global generator, pretrained weights not loaded.

    It maps (B, 3, H, W) to a feature map (B, trunk.dim, h, w). Raises InputError where timm's cannot be had.
    """
    if backbone.name.startswith(TIMM):
        return TimmTrunk(backbone.name.removeprefix(TIMM), backbone.last_stride)
    return BUILDERS[backbone.name](backbone)


def require_backbone(recipe: Recipe) -> None:
    """Raise InputError where the trunk of a recipe cannot be built, or does not give a feature map."""
    name = recipe.backbone.name
    if name in BUILDERS and BUILDERS.origin(name) == BUILT_IN:
        return
    with torch.random.fork_rng(devices=[]):
        trunk = build_backbone(recipe.backbone)
    if name in BUILDERS:
        require_trunk(trunk, name, recipe.image.size)
