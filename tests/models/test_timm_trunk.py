"""timm's networks as trunks, where timm is installed."""

import builtins
from pathlib import Path
from typing import Any

import pytest
import torch

from reid.errors import InputError
from reid.models import build_model, load_pretrained, require_backbone
from reid.recipe import Recipe


def recipe_of(name: str, stride: int = 2) -> Recipe:
    return Recipe().set({"backbone.name": f"timm:{name}", "backbone.last_stride": stride})


class TestInstalled:
    @pytest.fixture(autouse=True)
    def _timm(self) -> None:
        pytest.importorskip("timm", reason="timm is an optional extra")

    @pytest.mark.parametrize("name", ["resnet18", "regnety_002", "mobilenetv3_small_050", "efficientnet_b0"])
    def test_last_stride_doubles_the_map_and_changes_no_parameter(self, name: str) -> None:
        one, two = (build_model(recipe_of(name, stride), 5).eval() for stride in (1, 2))
        images = torch.randn(2, 3, 64, 32)
        assert two.base(images).shape == (2, two.base.dim, 2, 1)
        assert one.base(images).shape == (2, one.base.dim, 4, 2)
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
        assert one(images).shape == (2, one.base.dim)

    def test_resnet18_is_torchvisions_with_its_stem_relu(self) -> None:
        ours = build_model(Recipe().set({"backbone.name": "resnet18", "backbone.stem_relu": True}), 5).eval()
        theirs = build_model(recipe_of("resnet18"), 5).eval()
        theirs.base.get_submodule("net").load_state_dict(ours.base.state_dict())
        images = torch.randn(2, 3, 64, 32)
        torch.testing.assert_close(ours(images), theirs(images))

    def test_weights_by_path(self, tmp_path: Path) -> None:
        import timm

        weights = timm.create_model("resnet18", num_classes=3).state_dict()
        torch.save(weights, tmp_path / "w.pth")
        recipe = recipe_of("resnet18").set({"backbone.pretrained": str(tmp_path / "w.pth")})
        model = build_model(recipe, 5)
        loaded = load_pretrained(model, recipe)
        assert loaded is not None
        assert loaded.left_out == ("fc.weight", "fc.bias")
        assert torch.equal(model.base.get_parameter("net.conv1.weight"), weights["conv1.weight"])

    @pytest.mark.parametrize(
        ("name", "stride", "message"),
        [
            ("vit_tiny_patch16_224", 2, "vit_tiny_patch16_224 gives no feature map of a 256x128 image"),
            ("swin_tiny_patch4_window7_224", 2, "swin_tiny_patch4_window7_224 gives no feature map"),
            ("convnext_atto", 1, "convnext_atto cannot have last stride 1; set backbone.last_stride to 2"),
            ("resnet18d", 1, "resnet18d cannot have last stride 1"),
            ("no_such_network", 2, "timm cannot make 'no_such_network'"),
        ],
    )
    def test_what_does_not_fit_is_refused_in_one_line(self, name: str, stride: int, message: str) -> None:
        with pytest.raises(InputError, match=message) as error:
            require_backbone(recipe_of(name, stride).backbone)
        assert "\n" not in str(error.value)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "timm":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r"needs timm; in the folder of this repository: pip install '\.\[timm\]'"):
        require_backbone(recipe_of("resnet18").backbone)
