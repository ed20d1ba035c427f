"""Backbones, necks and the baseline that joins them."""

from reid.models.baseline import Baseline, build_model
from reid.models.pretrained import load_pretrained, pretrained_file

__all__ = ["Baseline", "build_model", "load_pretrained", "pretrained_file"]
