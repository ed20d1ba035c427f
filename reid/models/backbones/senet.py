"""SE-ResNets and SE-ResNeXts: ResNets whose blocks weigh their channels (Hu et al., CVPR 2018).

Parameter names are those of Cadene's pretrained-models.pytorch, which reid-strong-baseline took over.
"""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

from reid.models.backbones.resnet import set_last_stride

REDUCTION = 16


class SqueezeExcitation(nn.Module):
    """Every channel of maps (B, C, H, W) times a weight in 0..1 made from the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.fc2 = nn.Conv2d(channels // REDUCTION, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        weights: Tensor = self.fc2(self.fc1(maps.mean((2, 3), keepdim=True)).relu()).sigmoid()
        return maps * weights


class SEBottleneck(Bottleneck):  # type: ignore[misc]
    """A bottleneck with squeeze and excitation before the sum; the 3x3 convolution strides."""

    def __init__(self, inplanes: int, planes: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(inplanes, planes, *args, **kwargs)
        self.se_module = SqueezeExcitation(planes * self.expansion)

    def forward(self, maps: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(maps)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.se_module(self.bn3(self.conv3(out)))
        return self.relu(out + (maps if self.downsample is None else self.downsample(maps)))  # type: ignore[no-any-return]


class CaffeSEBottleneck(SEBottleneck):
    """The same, but the first 1x1 convolution strides, as in Caffe's ResNet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conv1.stride, self.conv2.stride = self.conv2.stride, self.conv1.stride


class SENetTrunk(nn.Module):
    """SE-ResNet, or SE-ResNeXt (32 groups of width 4) if `grouped`, without its classifier.

    Maps (B, 3, H, W) to (B, 2048, H/32, W/32) or H/16. Its stem has a ReLU and pools without padding (`ceil_mode`).
    """

    def __init__(self, layers: list[int], grouped: bool, last_stride: int) -> None:
        super().__init__()
        if grouped:
            resnet = ResNet(SEBottleneck, layers, groups=32, width_per_group=4)
        else:
            resnet = ResNet(CaffeSEBottleneck, layers)
        self.dim: int = resnet.fc.in_features
        pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        stem = OrderedDict(conv1=resnet.conv1, bn1=resnet.bn1, relu1=resnet.relu, pool=pool)
        self.layer0 = nn.Sequential(stem)
        self.layer1, self.layer2 = resnet.layer1, resnet.layer2
        self.layer3, self.layer4 = resnet.layer3, resnet.layer4
        set_last_stride(self.layer4, last_stride)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer4(self.layer3(self.layer2(self.layer1(self.layer0(images)))))  # type: ignore[no-any-return]
