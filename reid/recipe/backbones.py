"""The names of backbones that a recipe may ask for, each with what it is and its source."""

from reid.registry import Registry, nearest

TIMM = "timm:"

BACKBONES: Registry[str] = Registry(
    "backbone",
    {
        "resnet18": "ResNet-18; He et al. 2016",
        "resnet34": "ResNet-34; He et al. 2016",
        "resnet50": "ResNet-50; He et al. 2016",
        "resnet101": "ResNet-101; He et al. 2016",
        "resnet152": "ResNet-152; He et al. 2016",
        "se_resnet50": "SE-ResNet-50; Hu et al. 2018",
        "se_resnet101": "SE-ResNet-101; Hu et al. 2018",
        "se_resnext50": "SE-ResNeXt-50 32x4d; Hu et al. 2018",
        "se_resnext101": "SE-ResNeXt-101 32x4d; Hu et al. 2018",
        "resnet50_ibn_a": "ResNet-50-IBN-a; Pan et al. 2018",
        "resnet50_ibn_b": "ResNet-50-IBN-b; Pan et al. 2018",
        "resnet10_narrow": "four basic blocks of 16 to 128 channels, learns 64x32 crops on a CPU; our own",
    },
)


def known_backbone(name: str) -> str:
    """`name` where a recipe may ask for it; else ValueError with the nearest name."""
    if name in BACKBONES or name.removeprefix(TIMM) not in ("", name):
        return name
    raise ValueError(f"unknown backbone{nearest(name, [*BACKBONES, f'{TIMM}NAME'])}")
