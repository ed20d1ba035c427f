"""The recipe: what defines a training but its seed and its data."""

from reid.recipe.backbones import BACKBONES, TIMM
from reid.recipe.fields import (
    RECORDED,
    Augmentation,
    Backbone,
    Batch,
    Center,
    Circle,
    Classifier,
    ColorJitter,
    Erasing,
    Evaluation,
    FileName,
    IdLoss,
    Image,
    Neck,
    Optimizer,
    Pooling,
    RecipeSection,
    Schedule,
    Seeds,
    Streams,
    Triplet,
)
from reid.recipe.losses import LOSS_SECTIONS, LOSS_TITLES, LossSection
from reid.recipe.recipe import Recipe, digest

Slot = RecipeSection  # as it was called before

__all__ = [
    "BACKBONES",
    "LOSS_SECTIONS",
    "LOSS_TITLES",
    "RECORDED",
    "TIMM",
    "Augmentation",
    "Backbone",
    "Batch",
    "Center",
    "Circle",
    "Classifier",
    "ColorJitter",
    "Erasing",
    "Evaluation",
    "FileName",
    "IdLoss",
    "Image",
    "LossSection",
    "Neck",
    "Optimizer",
    "Pooling",
    "Recipe",
    "RecipeSection",
    "Schedule",
    "Seeds",
    "Slot",
    "Streams",
    "Triplet",
    "digest",
]
