"""How each backbone is built, by name, and the door for backbones from outside."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from reid.errors import InputError
from reid.recipe import BACKBONES, Backbone
from reid.registry import Registry

Builder = Callable[[Backbone], nn.Module]
BUILDERS: Registry[Builder] = Registry("backbone")


def register_backbone(name: str, title: str = "") -> Callable[[Callable[[int], nn.Module]], Callable[[int], nn.Module]]:
    """Decorator: a function from the last stride (1 or 2) to a module becomes the backbone `name` of recipes.

    The module maps images (B, 3, H, W) to a feature map (B, dim, h, w) and has `dim`. It is built under a seeded
    generator; its pretrained weights are a state dict's path, or "none". Raises InputError where the name is taken.
    """

    def register(build: Callable[[int], nn.Module]) -> Callable[[int], nn.Module]:
        BUILDERS.register(name, lambda backbone: build(backbone.last_stride))
        BACKBONES.register(name, title or name)
        return build

    return register


@torch.no_grad()
def require_trunk(trunk: nn.Module, name: str, size: tuple[int, int]) -> None:
    """Raise InputError where a backbone from outside is not what `register_backbone` asks for."""
    dim = getattr(trunk, "dim", None)
    where = f"backbone.name: {name}"
    if not isinstance(dim, int):
        raise InputError(f"{where}: the module needs an attribute `dim`, the channels of its map, found {dim!r}")
    was_training = trunk.training
    trunk.eval()
    try:
        found = trunk(torch.zeros(1, 3, *size))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{where}: fails on an image of {size[0]}x{size[1]} ({reason}); mend its plugin") from error
    finally:
        trunk.train(was_training)
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if not isinstance(found, Tensor) or found.ndim != 4 or found.shape[1] != dim:
        raise InputError(f"{where}: must map (1, 3, {size[0]}, {size[1]}) to (1, {dim}, h, w), found {shape}")
