"""The names of metrics on several data sets."""

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
