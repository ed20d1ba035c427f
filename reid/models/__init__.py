"""Backbones, necks and the baseline that joins them."""

from reid.models.backbones.build import require_backbone
from reid.models.backbones.registry import register_backbone
from reid.models.baseline import Baseline, build_model
from reid.models.pretrained import Loaded, load_checkpoint, load_pretrained, pretrained_file

__all__ = [
    "Baseline",
    "Loaded",
    "build_model",
    "load_checkpoint",
    "load_pretrained",
    "pretrained_file",
    "register_backbone",
    "require_backbone",
]
