"""Evaluation: what a trained network is worth on a test set."""

from reid.evaluation.chance import chance_mAP
from reid.evaluation.features import evaluate, extract
from reid.evaluation.ranking import Ranking, rank, rank_distances
from reid.evaluation.rerank import rerank

__all__ = ["Ranking", "chance_mAP", "evaluate", "extract", "rank", "rank_distances", "rerank"]
