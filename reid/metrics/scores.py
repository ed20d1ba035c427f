"""The ranking metrics of a run: the one list of them."""

from pydantic import BaseModel, ConfigDict


class Scores(BaseModel):
    """How well queries find their matches, fractions 0..1: mAP, mINP, and rank-k for k = 1, 5, 10."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mAP: float
    mINP: float
    rank1: float
    rank5: float
    rank10: float
