"""torchvision's ResNets as trunks, and a narrow one for training on a CPU."""

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

NARROW_CHANNELS = (16, 32, 64, 128)


class ResNetTrunk(ResNet):  # type: ignore[misc]
    """A torchvision ResNet without its classifier; maps (B, 3, H, W) to a feature map (B, dim, H/32, W/32) or H/16.

    Parameter names are torchvision's. The ReLU after the first convolution is optional: the reference has none.
    """

    def __init__(
        self, block: type[BasicBlock | Bottleneck], layers: list[int], last_stride: int, stem_relu: bool
    ) -> None:
        super().__init__(block, layers)
        self.dim: int = self.fc.in_features
        del self.fc, self.avgpool
        if not stem_relu:
            self.relu = nn.Identity()
        set_last_stride(self.layer4, last_stride)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        return self.layer4(self.layer3(self.layer2(self.layer1(maps))))  # type: ignore[no-any-return]


class NarrowResNet(nn.Module):
    """Four basic blocks of 16, 32, 64 and 128 channels after a 3x3 stem of stride 2: learns 64x32 crops on a CPU.

    Maps (B, 3, H, W) to (B, 128, H/16, W/16), or H/8 with last stride 1. Our own; no pretrained weights exist.
    """

    def __init__(self, last_stride: int, stem_relu: bool) -> None:
        super().__init__()
        channels = NARROW_CHANNELS
        self.dim: int = channels[-1]
        self.conv1 = nn.Conv2d(3, channels[0], 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.relu = nn.ReLU(inplace=True) if stem_relu else nn.Identity()
        self.layer1 = BasicBlock(channels[0], channels[0])
        self.layer2 = BasicBlock(channels[0], channels[1], 2, _shortcut(channels[0], channels[1]))
        self.layer3 = BasicBlock(channels[1], channels[2], 2, _shortcut(channels[1], channels[2]))
        self.layer4 = BasicBlock(channels[2], channels[3], 2, _shortcut(channels[2], channels[3]))
        set_last_stride(self.layer4, last_stride)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        maps = self.relu(self.bn1(self.conv1(images)))
        return self.layer4(self.layer3(self.layer2(self.layer1(maps))))  # type: ignore[no-any-return]


def _shortcut(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))


def set_last_stride(stage: nn.Module, stride: int) -> None:
    """Give every convolution of stride 2 in the last stage another stride, the shortcut's too."""
    for module in stage.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (stride, stride)
