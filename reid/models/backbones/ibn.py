"""ResNet-50-IBN-a and -b: instance and batch normalisation side by side (Pan et al., ECCV 2018).

Parameter names are those of IBN-Net and, for IBN-a, of reid-strong-baseline.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

from reid.models.backbones.resnet import ResNetTrunk


class IBN(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the rest; (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.border = channels // 2
        self.IN = nn.InstanceNorm2d(self.border, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.border)

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([self.IN(maps[:, : self.border]), self.BN(maps[:, self.border :])], 1)


class InstanceNormBottleneck(Bottleneck):  # type: ignore[misc]
    """A bottleneck without shortcut convolution whose sum is instance-normalised before the last ReLU: IBN-b's."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels // self.expansion)
        self.IN = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, maps: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(maps)))
        out = self.relu(self.bn2(self.conv2(out)))
        return self.relu(self.IN(self.bn3(self.conv3(out)) + maps))  # type: ignore[no-any-return]


class IBNTrunk(ResNetTrunk):
    """ResNet-50 with IBN, stem ReLU included; maps as `ResNetTrunk` does.

    "a" puts `IBN` in place of the first normalisation of every block of stages 1 to 3. "b" normalises the stem, and the
    sum that ends stages 1 and 2, by instance.
    """

    def __init__(self, variant: Literal["a", "b"], last_stride: int) -> None:
        super().__init__(Bottleneck, [3, 4, 6, 3], last_stride, stem_relu=True)
        if variant == "a":
            for block in (*self.layer1, *self.layer2, *self.layer3):
                block.bn1 = IBN(block.bn1.num_features)
            return
        self.bn1 = nn.InstanceNorm2d(64, affine=True)
        for stage in (self.layer1, self.layer2):
            last = InstanceNormBottleneck(stage[-1].bn3.num_features)
            last.load_state_dict(stage[-1].state_dict(), strict=False)  # as ResNet initialised it
            stage[-1] = last
