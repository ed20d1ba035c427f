"""The network and its head against the reference."""

import zlib
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from reid.models import Baseline, build_model
from reid.recipe import Recipe
from reid.tricks import TRICKS
from tests.golden.conftest import Golden, close, double

pytestmark = pytest.mark.golden
Read = Callable[[str], Golden]


def fill(model: nn.Module, seed: int) -> None:
    """Deterministic weights from names, as the golden arrays' README describes."""
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        rng = np.random.RandomState((zlib.crc32(name.encode()) ^ seed) & 0xFFFFFFFF)
        shape = tuple(tensor.shape)
        if len(shape) == 4:
            value = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif len(shape) == 2:
            value = rng.standard_normal(shape) * 0.05
        elif name.endswith(("running_var", "weight")):
            value = rng.uniform(0.5, 1.5, shape)
        else:
            value = rng.standard_normal(shape) * 0.1
        state[name] = torch.from_numpy(np.asarray(value))
    model.load_state_dict(state)


def reference_model(name: str, stride: int, neck: str) -> Baseline:
    recipe = Recipe().set({"backbone.name": name, "backbone.last_stride": stride, "evaluation.feature": "after"})
    return build_model(TRICKS["bnneck"].apply(recipe) if neck == "bnneck" else recipe, 7).double()


PLAIN = [(f"model_forward_{name}", row, name) for name in ("resnet18", "resnet50") for row in range(4)]
OTHER = [("model_forward_other", 0, "resnet50_ibn_a"), ("model_forward_other", 1, "se_resnet50")]
UNUSED_FC = {"resnet50_ibn_a": 2048 * 1000 + 1000}  # the reference keeps this trunk's ImageNet classifier and counts it


@pytest.mark.parametrize(("file", "row", "name"), [*PLAIN, *OTHER])
def test_forward(golden: Read, file: str, row: int, name: str) -> None:
    g = golden(file)
    images = torch.from_numpy(g["images"]).double()
    stride, neck = list(product((1, 2), ("bnneck", "no")))[row if file != "model_forward_other" else 0]
    assert g["row_names"][row] == f"{name}|last_stride={stride}|neck={neck}"
    model = reference_model(name, stride, neck)
    fill(model, int(g["fill_seed"]))
    parameters = list(model.named_parameters())
    unused = UNUSED_FC.get(name, 0)
    assert sum(p.numel() for _, p in parameters) == g[f"m{row}_num_params"] - unused
    assert sum(p.numel() for _, p in parameters if p.requires_grad) == g[f"m{row}_num_trainable"] - unused
    assert [n for n, p in parameters if not p.requires_grad] == [n for n in g[f"m{row}_frozen_param_names"] if n]
    maps = model.eval().base(torch.zeros(1, 3, 256, 128, dtype=torch.float64))
    assert tuple(maps.shape[2:]) == tuple(g[f"m{row}_featmap_hw_for_256x128"])
    with torch.no_grad():
        close(model(images), g[f"m{row}_eval_feat_after_f64"], rtol=1e-8, atol=1e-9)
        close(model.features(images).before, g[f"m{row}_eval_feat_before_f64"], rtol=1e-8, atol=1e-9)
        output = model.train()(images)
    close(output.logits, g[f"m{row}_train_score_f64"], rtol=1e-7, atol=1e-8)
    close(output.global_feature, g[f"m{row}_train_global_feat_f64"], rtol=1e-7, atol=1e-8)
    if neck == "bnneck":
        for statistic in ("running_mean", "running_var"):
            expected = g[f"m{row}_bottleneck_{statistic}_after_f64"]
            close(model.state_dict()[f"bottleneck.{statistic}"], expected, rtol=1e-7, atol=1e-9)


def test_state_names_are_the_references(golden: Read) -> None:
    model = reference_model("resnet50", 1, "bnneck")
    assert list(model.state_dict()) == list(golden("model_forward_resnet50")["resnet50_state_names"])


def test_bnneck_head(golden: Read) -> None:
    g = golden("bnneck_head")
    recipe = TRICKS["bnneck"].apply(Recipe().set({"backbone.name": "resnet18"}))
    model = build_model(recipe, 9).double()
    bottleneck = model.bottleneck
    assert isinstance(bottleneck, nn.BatchNorm1d)
    assert bottleneck.bias.requires_grad == bool(g["bn_bias_requires_grad"])
    assert (bottleneck.eps, bottleneck.momentum) == (float(g["bn_eps"]), float(g["bn_momentum"]))
    with torch.no_grad():
        bottleneck.weight.copy_(torch.from_numpy(g["bn_weight"]))
        model.classifier.weight.copy_(torch.from_numpy(g["classifier_weight"]))
    feature = double(g["global_feat"])
    score = model.classifier(bottleneck(feature))
    close(score, g["score_f64"])
    score.backward(torch.from_numpy(g["grad_score_in"]))
    close(feature.grad, g["grad_global_feat_f64"], rtol=1e-8, atol=1e-10)
    close(bottleneck.weight.grad, g["grad_bn_weight_f64"], rtol=1e-8, atol=1e-10)
    close(model.classifier.weight.grad, g["grad_classifier_weight_f64"], rtol=1e-8, atol=1e-10)
    assert bottleneck.running_mean is not None
    assert bottleneck.running_var is not None
    close(bottleneck.running_mean, g["running_mean_after"])
    close(bottleneck.running_var, g["running_var_after"])
    close(model.eval().bottleneck(feature), g["eval_feat_after_f64"])
