"""The strong baseline: trunk, global pooling, neck, classifier."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from reid.models.backbones.build import build_backbone
from reid.models.pooling import Pool
from reid.recipe import Recipe
from reid.seeding import seed_of


class Output(NamedTuple):
    """What training needs: logits (B, K), and the pooled feature before the neck f_t and after it f_i, both (B, D)."""

    logits: Tensor
    global_feature: Tensor
    neck_feature: Tensor


class Features(NamedTuple):
    """The two features of the paper, both (B, D): f_t before the neck and f_i after it (the same without a neck)."""

    before: Tensor
    after: Tensor


class Baseline(nn.Module):
    """Luo et al. 2019, figure 5. Parameter names are the reference's: base.*, bottleneck.*, classifier.*

    A learned pooling adds pool.p.

    In training mode the forward pass gives `Output`; in evaluation mode the feature the recipe ranks by, (B, D).
    """

    def __init__(self, recipe: Recipe, num_classes: int) -> None:
        super().__init__()
        self.test_feature = recipe.evaluation.feature
        self.base = build_backbone(recipe.backbone)
        self.dim = int(self.base.dim)  # type: ignore[arg-type]  # channels of the map, of both features
        self.pool = Pool(recipe.pooling)
        self.bottleneck: nn.Module = nn.Identity()
        if recipe.neck.kind == "bnneck":
            self.bottleneck = nn.BatchNorm1d(self.dim)
            self.bottleneck.bias.requires_grad_(False)  # "no shift": the hypersphere stays around the origin
        self.classifier = nn.Linear(self.dim, num_classes, bias=recipe.classifier.bias)

    def features(self, images: Tensor) -> Features:
        """Both features of normalised images (B, 3, H, W)."""
        before = self.pool(self.base(images))
        return Features(before, self.bottleneck(before))

    def forward(self, images: Tensor) -> Output | Tensor:
        features = self.features(images)
        if self.training:
            return Output(self.classifier(features.after), features.before, features.after)
        return features.after if self.test_feature == "after" else features.before


def build_model(recipe: Recipe, num_classes: int, seed: int = 0) -> Baseline:
    """The network of a recipe for `num_classes` training identities, on the CPU, in training mode.

    Trunk and classifier draw their weights from streams of their own, so arms that differ only elsewhere start from
    the same weights; torch's global generator is left as it was. Pretrained weights are loaded by `load_pretrained`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "weights of the trunk"))
        model = Baseline(recipe, num_classes)
        torch.manual_seed(seed_of(seed, "weights of the classifier"))
        model.classifier.reset_parameters()
        if recipe.classifier.init == "normal":
            nn.init.normal_(model.classifier.weight, std=0.001)
            if model.classifier.bias is not None:
                nn.init.zeros_(model.classifier.bias)
    return model
