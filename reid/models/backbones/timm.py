"""Any convolutional network of timm as a trunk: the optional extra `timm`."""

from typing import Any

import torch
from torch import Tensor, nn

from reid.errors import InputError, missing_extra

PROBE = (256, 128)


class TimmTrunk(nn.Module):
    """timm's network `name` up to its feature map (B, dim, h, w), weights not loaded.

    Last stride 2 leaves the network as timm made it. Last stride 1 does so too but for the stride of what makes the
    smallest map. Raises InputError where timm is not installed or does not know the name, where the network is not
    convolutional, and where last stride 1 does not double the map.
    """

    def __init__(self, name: str, last_stride: int) -> None:
        super().__init__()
        self.name = name
        self.net = _create(name)
        shape = self._probe(f"gives no feature map of a {PROBE[0]}x{PROBE[1]} image; choose a convolutional network")
        if len(shape) != 4 or shape[2] != 2 * shape[3]:
            raise InputError(
                f"backbone.name: timm:{name} is not convolutional: features of an image are {shape}; choose one that is"
            )
        self.dim: int = shape[1]
        if last_stride == 1:
            self._double_map(shape[2])

    def forward(self, images: Tensor) -> Tensor:
        return self.net.forward_features(images)  # type: ignore[no-any-return]

    @torch.no_grad()
    def _probe(self, problem: str) -> tuple[int, ...]:
        """The shape of the features of one image; InputError with `problem` where the network raises."""
        self.eval()
        try:
            return tuple(self(torch.zeros(1, 3, *PROBE)).shape)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError(f"backbone.name: timm:{self.name} {problem} ({reason})") from error
        finally:
            self.train()

    def _double_map(self, height: int) -> None:
        """Set to 1 the stride of every module that makes maps of `height` rows from higher ones."""
        strided: list[Any] = []

        def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if output.ndim == 4 and output.shape[2] == height < inputs[0].shape[2]:
                strided.append(module)

        with_stride = [
            module for module in self.net.modules() if hasattr(module, "stride") and not any(module.children())
        ]
        hooks = [module.register_forward_hook(note) for module in with_stride]
        self._probe("cannot be looked into")
        for hook in hooks:
            hook.remove()
        for module in strided:
            module.stride = (1, 1)
        refusal = "cannot have last stride 1; set backbone.last_stride to 2"
        shape = self._probe(refusal)
        if shape[2] != 2 * height or not strided:
            raise InputError(f"backbone.name: timm:{self.name} {refusal} (its map has {shape[2]} rows then)")


def _create(name: str) -> Any:
    try:
        import timm
    except ImportError as error:
        raise InputError(missing_extra(f"backbone.name: timm:{name} needs timm", "timm")) from error
    try:
        return timm.create_model(name, num_classes=0)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"backbone.name: timm cannot make {name!r} ({reason}); see timm.list_models()") from error
