"""The losses that a recipe may weigh, by name, and the door for losses from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from reid.losses.center import center_loss
from reid.losses.circle import circle_loss
from reid.losses.label_smoothing import label_smoothing_cross_entropy
from reid.losses.triplet import TripletResult
from reid.recipe import LOSS_SECTIONS, LOSS_TITLES, LossSection, Recipe
from reid.registry import Registry

Section = TypeVar("Section", bound=LossSection)


@dataclass(frozen=True)
class LossInputs:
    """What a loss is made from, all on one device and in 32 bits.

    `logits` (B, K), the feature f_t before the neck `feature` (B, D), the feature f_i after it `neck_feature` (B, D),
    `labels` (B,) in 0..K−1, the classifier's weights `class_weights` (K, D), the `centers` (K, D) of the centre loss,
    and the hardest `triplets` of f_t.
    """

    logits: Tensor
    feature: Tensor
    neck_feature: Tensor
    labels: Tensor
    class_weights: Tensor
    centers: Tensor
    triplets: TripletResult


class Weighted(Protocol):
    """A recipe section with a loss's weight in the sum."""

    @property
    def weight(self) -> float: ...


@dataclass(frozen=True)
class Loss:
    """A loss () of a batch and its source, titled in LOSS_TITLES; `section` finds its part of a recipe.

    Curves hold it as the columns `NAME_loss` and `NAME_weighted`.
    """

    name: str
    source: str
    section: Callable[[Recipe], Weighted]
    compute: Callable[[LossInputs, Recipe], Tensor]

    def weight(self, recipe: Recipe) -> float:
        return self.section(recipe).weight


LOSSES: Registry[Loss] = Registry("loss")

for _loss in (
    Loss(
        "id",
        "cross-entropy over identities, smoothed; Szegedy et al. 2016",
        lambda recipe: recipe.id_loss,
        lambda batch, recipe: label_smoothing_cross_entropy(batch.logits, batch.labels, recipe.id_loss.epsilon),
    ),
    Loss(
        "triplet",
        "batch-hard; Hermans et al. 2017",
        lambda recipe: recipe.triplet,
        lambda batch, _: batch.triplets.loss,
    ),
    Loss(
        "center",
        "Wen et al. 2016",
        lambda recipe: recipe.center,
        lambda batch, _: center_loss(batch.feature, batch.labels, batch.centers),
    ),
    Loss(
        "circle",
        "on pairs; Sun et al. 2020",
        lambda recipe: recipe.circle,
        lambda batch, recipe: circle_loss(batch.feature, batch.labels, recipe.circle.margin, recipe.circle.gamma),
    ),
):
    LOSSES.register(_loss.name, _loss)


def register_loss(
    name: str, section: type[Section], title: str = "", source: str = ""
) -> Callable[[Callable[[LossInputs, Section], Tensor]], Callable[[LossInputs, Section], Tensor]]:
    """Decorator: a function from a batch and its section to a loss () becomes `losses.NAME` of every recipe.

    `section` is a subclass of `LossSection`, all of whose fields have defaults; weight 0 is off. Raises InputError
    where the name is taken.
    """

    def register(compute: Callable[[LossInputs, Section], Tensor]) -> Callable[[LossInputs, Section], Tensor]:
        def of(recipe: Recipe) -> Section:
            found = recipe.own_loss(name)
            assert isinstance(found, section)
            return found

        LOSSES.register(name, Loss(name, source, of, lambda batch, recipe: compute(batch, of(recipe))))
        LOSS_TITLES.register(name, title or f"{name.replace('_', ' ')} loss")
        LOSS_SECTIONS.register(name, section)
        return compute

    return register
