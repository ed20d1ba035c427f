"""Cluster and verification measures against scikit-learn and plain loops."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import davies_bouldin_score, roc_curve, silhouette_score

from reid.data.dataset import Split
from reid.evaluation import clusters
from reid.evaluation.clusters import cluster_measures, verification


def blobs(seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Features of five identities around centres, 4 to 8 images each, and two distractors."""
    random = np.random.default_rng(seed)
    identities = np.repeat([3, 5, 6, 8, 9, 0], [4, 5, 6, 7, 8, 2])
    centres = random.normal(size=(10, 12)) * 3
    return centres[identities] + spread * random.normal(size=(len(identities), 12)), identities


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_against_plain_loops(spread: float) -> None:
    features, identities = blobs(1, spread)
    found = cluster_measures(features, identities)
    names = [3, 5, 6, 8, 9]
    centres = {name: features[identities == name].mean(0) for name in names}
    intra = np.mean(
        [np.mean([np.linalg.norm(x - centres[name]) for x in features[identities == name]]) for name in names]
    )
    inter = np.mean([np.linalg.norm(centres[a] - centres[b]) for a in names for b in names if a < b])
    known = identities > 0
    assert found == pytest.approx(
        {
            "intra": intra,
            "inter": inter,
            "ratio": intra / inter,
            "silhouette": silhouette_score(features[known], identities[known]),
            "davies_bouldin": davies_bouldin_score(features[known], identities[known]),
        }
    )


def test_fewer_than_two_identities() -> None:
    found = cluster_measures(np.ones((4, 3)), np.array([7, 7, 0, 0]))
    assert list(found) == list(clusters.CLUSTERS)
    assert np.isnan(list(found.values())).all()


def test_a_sample_of_images_is_drawn_the_same_way_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    features, identities = blobs(2, 1.0)
    whole = cluster_measures(features, identities)
    monkeypatch.setattr(clusters, "MOST_IMAGES", 25)
    one, two = (cluster_measures(features, identities) for _ in range(2))
    assert one == two
    assert one["silhouette"] == pytest.approx(whole["silhouette"], abs=0.1)
    assert one["silhouette"] != whole["silhouette"]


def split(identities: np.ndarray, seed: int) -> Split:
    cameras = np.random.default_rng(seed).integers(1, 4, len(identities))
    return Split(tuple(Path(str(i)) for i in range(len(identities))), identities, cameras)


@pytest.mark.parametrize("spread", [0.5, 3.0, 8.0])
def test_verification_against_scikit_learns_curve(spread: float) -> None:
    random = np.random.default_rng(5)
    centres = random.normal(size=(40, 8)) * 3
    queries, items = split(random.integers(1, 40, 80), 1), split(random.integers(0, 40, 300), 2)
    query, gallery = (
        torch.from_numpy(centres[part.identities] + spread * random.normal(size=(len(part), 8)))
        for part in (queries, items)
    )
    found = verification(query, gallery, queries, items)
    labels, scores = [], []
    for i in range(len(queries)):
        for j in range(len(items)):
            same = queries.identities[i] == items.identities[j]
            if not (same and queries.cameras[i] == items.cameras[j]):
                labels.append(int(same))
                scores.append(-float((query[i] - gallery[j]).norm()))
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert found["tpr_at_fpr"] == pytest.approx(tpr[fpr <= 1e-3].max(), abs=1e-9)
    assert found["eer"] == pytest.approx(fpr[np.abs(1 - tpr - fpr).argmin()], abs=0.005)


def test_verification_without_a_pair_across_cameras() -> None:
    queries, items = (Split((Path("a"),) * 2, np.array([1, 2]), np.array([1, 1])) for _ in range(2))
    assert np.isnan(list(verification(torch.eye(2), torch.eye(2), queries, items).values())).all()


def test_pairs_beyond_the_limit_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    identities = np.repeat(np.arange(1, 11), 4)
    part = Split((Path("a"),) * 40, identities, np.tile([1, 2, 3, 4], 10))
    features = torch.from_numpy(np.eye(10)[identities - 1])
    monkeypatch.setattr(clusters, "MOST_PAIRS", 400)
    assert verification(features, features, part, part) == {"tpr_at_fpr": 1.0, "eer": 0.0}
