from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import nn

from reid.errors import InputError
from reid.models import build_model, load_pretrained, pretrained_file
from reid.recipe import BackboneName, Recipe
from reid.tricks import TRICKS


def recipe_of(name: str, **fields: object) -> Recipe:
    return Recipe().set({"backbone.name": name, **{key.replace("__", "."): value for key, value in fields.items()}})


@pytest.mark.parametrize("name", [name for name in get_args(BackboneName) if name not in ("resnet101", "resnet152")])
@pytest.mark.parametrize("stride", [1, 2])
def test_last_stride_doubles_the_map_and_changes_no_parameter(name: str, stride: int) -> None:
    model = build_model(recipe_of(name, backbone__last_stride=stride), 5)
    base = 16 if name == "resnet10_narrow" else 32
    maps = model.eval().base(torch.zeros(1, 3, 64, 32))
    assert maps.shape == (1, model.base.dim, 64 * (3 - stride) // base, 32 * (3 - stride) // base)
    other = build_model(recipe_of(name, backbone__last_stride=3 - stride), 5)
    for (key, ours), (_, theirs) in zip(model.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(ours, theirs), key


def test_resnet101_and_152_have_their_depth() -> None:
    for name, blocks in (("resnet101", 23), ("resnet152", 36)):
        assert len(build_model(recipe_of(name), 5).base.layer3) == blocks


def test_parameter_count_of_the_paper() -> None:
    model = build_model(TRICKS["bnneck"].apply(Recipe()), 751)
    assert sum(p.numel() for p in model.parameters()) == 25_050_176
    assert sum(p.numel() for p in model.parameters() if not p.requires_grad) == 2_048


def test_all_arms_start_from_the_same_trunk_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    plain = build_model(recipe_of("resnet10_narrow"), 5, seed=1)
    tricked = recipe_of("resnet10_narrow")
    for trick in TRICKS.values():
        tricked = trick.apply(tricked)
    other = build_model(tricked, 5, seed=1)
    assert torch.equal(torch.rand(1), expected)
    for key, value in plain.base.state_dict().items():
        assert torch.equal(value, other.base.state_dict()[key]), key
    reseeded = build_model(recipe_of("resnet10_narrow"), 5, seed=2)
    assert not torch.equal(plain.base.conv1.weight, reseeded.base.conv1.weight)


def test_neck_and_classifier_follow_the_recipe() -> None:
    plain = build_model(recipe_of("resnet10_narrow"), 5)
    assert plain.classifier.bias is not None
    assert isinstance(plain.bottleneck, nn.Identity)
    necked = build_model(TRICKS["bnneck"].apply(recipe_of("resnet10_narrow")), 5)
    assert necked.classifier.bias is None
    assert necked.classifier.weight.std().item() == pytest.approx(0.001, rel=0.2)


def test_stem_relu_is_a_field() -> None:
    images = torch.randn(2, 3, 64, 32)
    without, with_relu = (build_model(recipe_of("resnet18", backbone__stem_relu=on), 5).eval() for on in (False, True))
    assert not torch.equal(without(images), with_relu(images))


def test_evaluation_ranks_by_the_feature_of_the_recipe() -> None:
    model = build_model(TRICKS["bnneck"].apply(recipe_of("resnet10_narrow")), 5)
    with torch.no_grad():
        model.train()(torch.randn(8, 3, 32, 16))
        images = torch.randn(4, 3, 32, 16)
        features = model.eval().features(images)
        assert torch.equal(model(images), features.after)
        assert not torch.equal(features.after, features.before)
        model.test_feature = "before"
        assert torch.equal(model(images), features.before)


class TestPretrained:
    def test_imagenet_is_looked_for_in_the_hub_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        with pytest.raises(InputError, match=r"resnet18-f37072fd\.pth; download https://"):
            pretrained_file(recipe_of("resnet18").backbone)
        weights = build_model(recipe_of("resnet18"), 5, seed=9).base.state_dict()
        file = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
        file.parent.mkdir(parents=True)
        torch.save({**weights, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, file)
        model = build_model(recipe_of("resnet18"), 5, seed=0)
        load_pretrained(model, recipe_of("resnet18"))
        assert torch.equal(model.base.conv1.weight, weights["conv1.weight"])

    def test_a_path_that_does_not_exist(self) -> None:
        with pytest.raises(InputError, match=r"no such file /nowhere/w\.pth"):
            pretrained_file(recipe_of("resnet18", backbone__pretrained="/nowhere/w.pth").backbone)

    def test_weights_of_another_network(self, tmp_path: Path) -> None:
        torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7), "extra": torch.zeros(1)}, tmp_path / "w.pth")
        recipe = recipe_of("resnet18", backbone__pretrained=str(tmp_path / "w.pth"))
        with pytest.raises(InputError, match=r"does not fit resnet18: \d+ tensors missing, 1 unexpected"):
            load_pretrained(build_model(recipe, 5), recipe)

    def test_a_file_that_is_no_state_dict(self, tmp_path: Path) -> None:
        (tmp_path / "w.pth").write_bytes(b"hello")
        recipe = recipe_of("resnet18", backbone__pretrained=str(tmp_path / "w.pth"))
        with pytest.raises(InputError, match="is not a state dict of resnet18"):
            load_pretrained(build_model(recipe, 5), recipe)

    def test_the_narrow_network_has_none(self) -> None:
        with pytest.raises(InputError, match="no ImageNet weights exist"):
            pretrained_file(recipe_of("resnet10_narrow").backbone)
