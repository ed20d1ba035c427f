"""The trunk that a recipe names."""

import torch
from torchvision.models.resnet import BasicBlock, Bottleneck

from reid.models.backbones.ibn import IBNTrunk
from reid.models.backbones.resnet import NarrowResNet, ResNetTrunk
from reid.models.backbones.senet import SENetTrunk
from reid.models.backbones.timm import TimmTrunk
from reid.recipe import Backbone

Trunk = ResNetTrunk | NarrowResNet | SENetTrunk | TimmTrunk

LAYERS: dict[str, tuple[type[BasicBlock | Bottleneck], list[int]]] = {
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet34": (BasicBlock, [3, 4, 6, 3]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
    "resnet101": (Bottleneck, [3, 4, 23, 3]),
    "resnet152": (Bottleneck, [3, 8, 36, 3]),
}


def build_backbone(backbone: Backbone) -> Trunk:
    """The trunk, initialised from torch's global generator, pretrained weights not loaded.

    It maps (B, 3, H, W) to a feature map (B, trunk.dim, h, w). Raises InputError where timm's cannot be had.
    """
    name, stride = backbone.name, backbone.last_stride
    if name.startswith("timm:"):
        return TimmTrunk(name.removeprefix("timm:"), stride)
    if name == "resnet10_narrow":
        return NarrowResNet(stride, backbone.stem_relu)
    if name.startswith("se_"):
        _, layers = LAYERS["resnet101" if name.endswith("101") else "resnet50"]
        return SENetTrunk(layers, "resnext" in name, stride)
    if name.startswith("resnet50_ibn_"):
        return IBNTrunk("a" if name.endswith("a") else "b", stride)
    block, layers = LAYERS[name]
    return ResNetTrunk(block, layers, stride, backbone.stem_relu)


def require_backbone(backbone: Backbone) -> None:
    """Raise InputError where the trunk cannot be built; only one of timm's needs to be tried."""
    if backbone.name.startswith("timm:"):
        with torch.random.fork_rng(devices=[]):
            build_backbone(backbone)
