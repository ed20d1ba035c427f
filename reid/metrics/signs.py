"""Signs that a training learnt nothing: said beside its numbers, and no reason to leave it out."""

from enum import StrEnum


class Sign(StrEnum):
    """One sign, as result.json has it."""

    ID_LOSS = "id_loss_at_chance"
    RANKING = "ranking_at_chance"
    COLLAPSED = "features_collapsed"

    @property
    def words(self) -> str:
        return WORDS[self]


WORDS = {
    Sign.ID_LOSS: "ID loss still at chance",
    Sign.RANKING: "mAP under twice that of a random order",
    Sign.COLLAPSED: "features collapsed to a point",
}
