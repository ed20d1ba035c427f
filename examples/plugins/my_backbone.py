"""A backbone of your own: depthwise convolutions, small enough for a CPU.

In a recipe: `backbone: {name: tiny_depthwise, pretrained: none}`.
"""

from torch import nn

import reid

WIDTHS = (16, 32, 64, 96)


def block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Depthwise 3x3, then pointwise; (B, inputs, H, W) to (B, outputs, H/stride, W/stride)."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Trunk(nn.Sequential):
    """Blocks one after another. `dim` is the number of channels of the map: what the head is built for."""

    dim = WIDTHS[-1]


@reid.register_backbone("tiny_depthwise", title="four depthwise blocks; ours")
def tiny_depthwise(last_stride: int) -> nn.Module:
    strides = (2, 2, 2, last_stride)
    return Trunk(*(block(*sizes) for sizes in zip((3, *WIDTHS), WIDTHS, strides, strict=False)))
