from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from reid.data import DecodedDataset
from reid.errors import InputError
from reid.evaluation import extract
from reid.models import Loaded, build_model, load_checkpoint, load_pretrained, pretrained_file
from reid.models.backbones.build import build_backbone
from reid.models.backbones.ibn import IBN, InstanceNormBottleneck
from reid.models.backbones.resnet import ResNetTrunk
from reid.models.backbones.senet import SENetTrunk
from reid.recipe import BACKBONES, Recipe
from reid.tricks import TRICKS


def recipe_of(name: str, **fields: object) -> Recipe:
    return Recipe().set({"backbone.name": name, **{key.replace("__", "."): value for key, value in fields.items()}})


@pytest.mark.parametrize("name", [name for name in BACKBONES if "101" not in name and "152" not in name])
@pytest.mark.parametrize("stride", [1, 2])
def test_last_stride_doubles_the_map_and_changes_no_parameter(name: str, stride: int) -> None:
    model = build_model(recipe_of(name, backbone__last_stride=stride), 5)
    base = 16 if name == "resnet10_narrow" else 32
    maps = model.eval().base(torch.zeros(1, 3, 64, 32))
    assert maps.shape == (1, model.base.dim, 64 * (3 - stride) // base, 32 * (3 - stride) // base)
    other = build_model(recipe_of(name, backbone__last_stride=3 - stride), 5)
    for (key, ours), (_, theirs) in zip(model.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(ours, theirs), key


@pytest.mark.parametrize(
    ("name", "blocks"), [("resnet101", 23), ("resnet152", 36), ("se_resnet101", 23), ("se_resnext101", 23)]
)
def test_deep_trunks_have_their_depth(name: str, blocks: int) -> None:
    with torch.device("meta"):
        trunk = build_backbone(recipe_of(name).backbone)
    assert isinstance(trunk, ResNetTrunk | SENetTrunk)
    assert len(trunk.layer3) == blocks


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
    assert not torch.equal(plain.base.get_parameter("conv1.weight"), reseeded.base.get_parameter("conv1.weight"))


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
        assert torch.equal(model.base.get_parameter("conv1.weight"), weights["conv1.weight"])

    def test_a_path_that_does_not_exist(self) -> None:
        with pytest.raises(InputError, match=r"no such file /nowhere/w\.pth"):
            pretrained_file(recipe_of("resnet18", backbone__pretrained="/nowhere/w.pth").backbone)

    def test_a_home_folder_is_expanded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "w.pth").touch()
        assert pretrained_file(recipe_of("resnet18", backbone__pretrained="~/w.pth").backbone) == tmp_path / "w.pth"

    def test_weights_of_another_network(self, tmp_path: Path) -> None:
        torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7), "extra": torch.zeros(1)}, tmp_path / "w.pth")
        recipe = recipe_of("resnet18", backbone__pretrained=str(tmp_path / "w.pth"))
        with pytest.raises(InputError, match=r"does not fit resnet18: \d+ tensors missing, 1 unexpected"):
            load_pretrained(build_model(recipe, 5), recipe)

    def test_a_file_that_is_no_state_dict(self, tmp_path: Path) -> None:
        (tmp_path / "w.pth").write_bytes(b"hello")
        recipe = recipe_of("resnet18", backbone__pretrained=str(tmp_path / "w.pth"))
        with pytest.raises(InputError, match=r"w\.pth is not a file that torch\.save wrote"):
            load_pretrained(build_model(recipe, 5), recipe)

    @pytest.mark.parametrize("name", ["se_resnet50", "resnet50_ibn_b", "timm:resnet18"])
    def test_torchvision_has_no_weights_of_the_others(self, name: str) -> None:
        with pytest.raises(InputError, match=f"torchvision's weights, which has none of {name}"):
            pretrained_file(recipe_of(name).backbone)

    @pytest.mark.parametrize(("name", "head"), [("resnet50_ibn_a", "fc"), ("se_resnet50", "last_linear")])
    def test_names_are_mapped_and_what_was_left_out_is_reported(self, tmp_path: Path, name: str, head: str) -> None:
        """As IBN-Net saves them (under state_dict, after module.) and Cadene (last_linear)."""
        recipe = recipe_of(name, backbone__pretrained=str(tmp_path / "w.pth"))
        weights = build_model(recipe, 5, seed=9).base.state_dict()
        saved = {f"module.{key}": value for key, value in weights.items()} | {f"module.{head}.weight": torch.zeros(2)}
        torch.save({"state_dict": saved, "epoch": 3}, tmp_path / "w.pth")
        model = build_model(recipe, 5, seed=0)
        loaded = load_pretrained(model, recipe)
        assert loaded == Loaded(tmp_path / "w.pth", len(weights), (f"{head}.weight",))
        assert str(loaded).endswith(f"w.pth: {len(weights)} tensors loaded, left out {head}.weight")
        assert all(torch.equal(value, weights[key]) for key, value in model.base.state_dict().items())

    def test_the_narrow_network_has_none(self) -> None:
        with pytest.raises(InputError, match="no ImageNet weights exist"):
            pretrained_file(recipe_of("resnet10_narrow").backbone)


class TestCheckpoint:
    """resnet50_model_120.pth and its like."""

    RECIPE = TRICKS["bnneck"].apply(recipe_of("resnet18"))

    def test_of_the_reference(self, tmp_path: Path) -> None:
        """All but the classifier, whose identities are others; legacy format, as old torch wrote it."""
        theirs = build_model(self.RECIPE, 751, seed=9)
        torch.save(theirs.state_dict(), tmp_path / "w.pth", _use_new_zipfile_serialization=False)
        model = build_model(self.RECIPE, 1, seed=0)
        loaded = load_checkpoint(model, tmp_path / "w.pth")
        assert loaded.left_out == ("classifier.weight",)
        images = torch.randn(2, 3, 64, 32)
        assert torch.equal(model.eval()(images), theirs.eval()(images))

    def test_a_whole_network_serves_as_a_pretrained_trunk(self, tmp_path: Path) -> None:
        theirs = build_model(self.RECIPE, 751, seed=9)
        torch.save(theirs.state_dict(), tmp_path / "w.pth")
        recipe = self.RECIPE.set({"backbone.pretrained": str(tmp_path / "w.pth")})
        model = build_model(recipe, 5)
        loaded = load_pretrained(model, recipe)
        assert loaded is not None
        assert {name.split(".")[0] for name in loaded.left_out} == {"bottleneck", "classifier"}
        assert torch.equal(model.base.get_parameter("conv1.weight"), theirs.base.get_parameter("conv1.weight"))

    @pytest.mark.parametrize("legacy", [False, True])
    def test_a_pickled_module_is_refused_unopened(self, tmp_path: Path, legacy: bool) -> None:
        torch.save(Bomb(), tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
        with pytest.raises(InputError, match=r"w\.pth holds pickled Python objects.*save the model's state_dict"):
            load_checkpoint(build_model(self.RECIPE, 1), tmp_path / "w.pth")

    def test_what_is_no_state_dict_is_refused(self, tmp_path: Path) -> None:
        model = build_model(self.RECIPE, 1)
        for content, message in (([1], "found list"), ({}, "found dict"), ({"epoch": 3}, "'epoch' is int")):
            torch.save(content, tmp_path / "w.pth")
            with pytest.raises(InputError, match=message):
                load_checkpoint(model, tmp_path / "w.pth")
        with pytest.raises(InputError, match="no such file"):
            load_checkpoint(model, tmp_path / "absent.pth")

    def test_another_network_is_refused(self, tmp_path: Path) -> None:
        torch.save(build_model(recipe_of("resnet18"), 5).state_dict(), tmp_path / "w.pth")
        with pytest.raises(
            InputError, match=r"does not fit the recipe: 4 tensors missing, 0 unexpected \(first: bottle"
        ):
            load_checkpoint(build_model(self.RECIPE, 1), tmp_path / "w.pth")
        weights = build_model(self.RECIPE, 5).state_dict() | {"base.conv1.weight": torch.zeros(64, 3, 3, 3)}
        torch.save(weights, tmp_path / "w.pth")
        with pytest.raises(InputError, match=r"base\.conv1\.weight is \(64, 3, 3, 3\), must be \(64, 3, 7, 7\)"):
            load_checkpoint(build_model(self.RECIPE, 1), tmp_path / "w.pth")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("the file was opened",)


def test_where_instance_normalisation_stands() -> None:
    """IBN-a: first norm of every block of stages 1 to 3. IBN-b: stem, and the last block of stages 1 and 2."""
    a, b = (build_backbone(recipe_of(f"resnet50_ibn_{variant}").backbone) for variant in "ab")
    halves = {name for name, module in a.named_modules() if isinstance(module, IBN)}
    assert halves == {f"layer{s}.{i}.bn1" for s, blocks in ((1, 3), (2, 4), (3, 6)) for i in range(blocks)}
    whole = {name for name, module in b.named_modules() if isinstance(module, nn.InstanceNorm2d)}
    assert whole == {"bn1", "layer1.2.IN", "layer2.3.IN"}
    assert isinstance(b.get_submodule("layer2.3"), InstanceNormBottleneck)
    maps = torch.randn(2, 256, 8, 4)
    last: Any = b.get_submodule("layer1.2").eval()
    inner = last.bn3(last.conv3(last.relu(last.bn2(last.conv2(last.relu(last.bn1(last.conv1(maps))))))))
    torch.testing.assert_close(last(maps), nn.functional.instance_norm(inner + maps).relu())


def test_halves_of_ibn() -> None:
    maps = torch.randn(3, 6, 5, 4) * 2 + 1
    out = IBN(6)(maps)
    torch.testing.assert_close(out[:, :3], nn.functional.instance_norm(maps[:, :3]))
    torch.testing.assert_close(out[:, 3:], nn.functional.batch_norm(maps[:, 3:], None, None, training=True))


def test_which_convolution_strides() -> None:
    """SE-ResNet: the first, Caffe's way. SE-ResNeXt: the second, in 32 groups."""
    resnet, resnext = (build_backbone(recipe_of(name).backbone) for name in ("se_resnet50", "se_resnext50"))
    for trunk, strided, other in ((resnet, "conv1", "conv2"), (resnext, "conv2", "conv1")):
        assert trunk.get_submodule(f"layer3.0.{strided}").stride == (2, 2)
        assert trunk.get_submodule(f"layer3.0.{other}").stride == (1, 1)
    assert resnext.get_submodule("layer1.0.conv2").groups == 32
    assert resnext.get_submodule("layer1.0.conv2").in_channels == 128


def test_an_unknown_backbone_names_the_nearest() -> None:
    with pytest.raises(ValidationError, match="unknown backbone; did you mean 'se_resnext50'"):
        recipe_of("se_resnext5")
    with pytest.raises(ValidationError, match="unknown backbone; did you mean 'timm:NAME'"):
        recipe_of("timm:")


def test_flip_test_averages_both_features(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    model = build_model(tiny_recipe, 5)
    pixels = tiny.pixels["query"][:6]
    plain, mirrored = (extract(model, p, tiny_recipe, torch.device("cpu")) for p in (pixels, pixels[:, :, ::-1].copy()))
    both = extract(model, pixels, tiny_recipe.set({"evaluation.flip": True}), torch.device("cpu"))
    torch.testing.assert_close(both, (plain + mirrored) / 2)
    assert not torch.equal(plain, mirrored)
