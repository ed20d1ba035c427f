"""The trunk that a recipe names.

torchvision and timm take a second to import: only who builds a trunk of theirs imports them.
"""

import torch
from torch import nn

from reid.models.backbones.registry import BUILDERS, require_trunk
from reid.recipe import TIMM, Backbone
from reid.registry import BUILT_IN

LAYERS = {
    "resnet18": [2, 2, 2, 2],
    "resnet34": [3, 4, 6, 3],
    "resnet50": [3, 4, 6, 3],
    "resnet101": [3, 4, 23, 3],
    "resnet152": [3, 8, 36, 3],
}


def _resnet(backbone: Backbone) -> nn.Module:
    from torchvision.models.resnet import BasicBlock, Bottleneck

    from reid.models.backbones.resnet import ResNetTrunk

    block = BasicBlock if backbone.name in ("resnet18", "resnet34") else Bottleneck
    return ResNetTrunk(block, LAYERS[backbone.name], backbone.last_stride, backbone.stem_relu)


def _senet(backbone: Backbone) -> nn.Module:
    from reid.models.backbones.senet import SENetTrunk

    layers = LAYERS["resnet101" if backbone.name.endswith("101") else "resnet50"]
    return SENetTrunk(layers, "resnext" in backbone.name, backbone.last_stride)


def _ibn(backbone: Backbone) -> nn.Module:
    from reid.models.backbones.ibn import IBNTrunk

    return IBNTrunk("a" if backbone.name.endswith("a") else "b", backbone.last_stride)


def _narrow(backbone: Backbone) -> nn.Module:
    from reid.models.backbones.resnet import NarrowResNet

    return NarrowResNet(backbone.last_stride, backbone.stem_relu)


for _name in LAYERS:
    BUILDERS.register(_name, _resnet)
for _name in ("se_resnet50", "se_resnet101", "se_resnext50", "se_resnext101"):
    BUILDERS.register(_name, _senet)
for _name in ("resnet50_ibn_a", "resnet50_ibn_b"):
    BUILDERS.register(_name, _ibn)
BUILDERS.register("resnet10_narrow", _narrow)


def build_backbone(backbone: Backbone) -> nn.Module:
    """The trunk, initialised from torch's global generator, pretrained weights not loaded.

    It maps (B, 3, H, W) to a feature map (B, trunk.dim, h, w). Raises InputError where timm's cannot be had.
    """
    if backbone.name.startswith(TIMM):
        from reid.models.backbones.timm import TimmTrunk

        return TimmTrunk(backbone.name.removeprefix(TIMM), backbone.last_stride)
    return BUILDERS[backbone.name](backbone)


def require_backbone(backbone: Backbone, size: tuple[int, int] = (256, 128)) -> None:
    """Raise InputError where the trunk cannot be built, or one from outside gives no feature map of such images."""
    name = backbone.name
    if name in BUILDERS and BUILDERS.origin(name) == BUILT_IN:
        return
    with torch.random.fork_rng(devices=[]):
        trunk = build_backbone(backbone)
    if name in BUILDERS:
        require_trunk(trunk, name, size)
