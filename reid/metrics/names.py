"""The names of metrics, and which of them are fractions."""

import re
from collections.abc import Mapping
from typing import Any


def domain_scores(result: Mapping[str, Any]) -> dict[str, float]:
    """Of a result on several data sets the mAP on each, as `mAP@day`, and under `mAP_cross` the mean over those that
    the run was not trained on, if there are any. Nothing of a result on one set.
    """
    domains = result.get("domains", {})
    scores = {f"mAP@{name}": float(scores["mAP"]) for name, scores in domains.items()}
    across = [float(scores["mAP"]) for scores in domains.values() if not scores["trained_on"]]
    return scores | ({"mAP_cross": sum(across) / len(across)} if across else {})


FRACTIONS = ("mAP", "mINP", "rank1", "rank5", "rank10")


COSTS = ("seconds", "second", "mb")  # how the names of costs end: one decimal is enough


def is_fraction(metric: str) -> bool:
    """Whether a metric is a fraction 0..1: a measure of ranking, whatever it was measured on ("mAP", "cross_mAP")."""
    return any(part in FRACTIONS for part in re.split(r"[^A-Za-z0-9]+", metric))
