"""A metric of your own: mean average precision of the queries of the worst camera.

It stands in results, the report, MLflow and CSV, and is an objective of studies: `objectives: [mAP_worst_camera]`.
"""

import numpy as np

import reid


@reid.register_metric("mAP_worst_camera", title="mAP, worst camera", unit="fraction", higher_is_better=True)
def worst_camera(ranking: reid.Ranking, dataset: reid.Dataset) -> float:
    cameras = dataset.query.cameras
    with_match = np.isfinite(ranking.ap)
    return min(float(ranking.ap[with_match & (cameras == one)].mean()) for one in np.unique(cameras[with_match]))
