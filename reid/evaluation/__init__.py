"""Evaluation: what a trained network is worth on a test set."""

from reid.evaluation.chance import chance_mAP
from reid.evaluation.features import TestFeatures, evaluate, extract, extract_test, rank_extracted
from reid.evaluation.ranking import Ranking, rank, rank_distances
from reid.evaluation.rerank import rerank

Extracted = TestFeatures  # as it was called before

__all__ = [
    "Extracted",
    "Ranking",
    "TestFeatures",
    "chance_mAP",
    "evaluate",
    "extract",
    "extract_test",
    "rank",
    "rank_distances",
    "rank_extracted",
    "rerank",
]
