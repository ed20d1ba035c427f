"""Cluster and verification measures against scikit-learn and plain loops."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import davies_bouldin_score, roc_curve, silhouette_score

from reid.data.dataset import Split
from reid.evaluation import clusters
from reid.evaluation.clusters import cluster_measures, verification


def blobs(seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Features of five identities around centres, 4 to 8 images each, and of two that are seen once."""
    random = np.random.default_rng(seed)
    identities = np.repeat([3, 5, 6, 8, 9, 0, 1], [4, 5, 6, 7, 8, 1, 1])
    centres = random.normal(size=(10, 12)) * 3
    return centres[identities] + spread * random.normal(size=(len(identities), 12)), identities


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_against_plain_loops(spread: float) -> None:
    features, identities = blobs(1, spread)
    found = cluster_measures(features, identities)
    names = [3, 5, 6, 8, 9, 0, 1]
    centres = {name: features[identities == name].mean(0) for name in names}
    intra = np.mean(
        [np.mean([np.linalg.norm(x - centres[name]) for x in features[identities == name]]) for name in names]
    )
    inter = np.mean([np.linalg.norm(centres[a] - centres[b]) for a in names for b in names if a < b])
    assert found == pytest.approx(
        {
            "intra": intra,
            "inter": inter,
            "ratio": intra / inter,
            "silhouette": silhouette_score(features, identities),
            "davies_bouldin": davies_bouldin_score(features, identities),
        }
    )


def test_fewer_than_two_identities() -> None:
    found = cluster_measures(np.ones((4, 3)), np.array([7, 7, 7, 7]))
    assert list(found) == list(clusters.CLUSTERS)
    assert np.isnan(list(found.values())).all()


def test_identity_zero_is_one_like_any() -> None:
    features = np.random.default_rng(3).normal(size=(8, 4))
    found = [cluster_measures(features, np.repeat(names, 4)) for names in ([0, 1], [1, 2])]
    assert found[0] == found[1]
    assert not np.isnan(list(found[0].values())).any()


def test_nobody_is_seen_twice() -> None:
    found = cluster_measures(np.eye(4), np.arange(4))
    assert found.pop("inter") == pytest.approx(np.sqrt(2))
    assert np.isnan(list(found.values())).all()


def test_many_identities_seen_once() -> None:
    """More than are drawn: none of those drawn need be seen twice."""
    identities = np.concatenate([[1, 1, 2, 2], np.arange(10, 9000)])
    features = np.random.default_rng(4).normal(size=(len(identities), 3))
    found = cluster_measures(features, identities)
    assert abs(found["silhouette"]) < 0.01
    assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize(("limit", "measure"), [("MOST_IMAGES", "silhouette"), ("MOST_IDENTITIES", "davies_bouldin")])
def test_a_sample_is_drawn_the_same_way_every_time(limit: str, measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    identities = np.repeat(np.arange(60), 5)
    features = random.normal(size=(60, 8))[identities] + 0.5 * random.normal(size=(300, 8))
    whole = cluster_measures(features, identities)
    monkeypatch.setattr(clusters, limit, 30)
    one, two = (cluster_measures(features, identities) for _ in range(2))
    assert one == two
    assert one[measure] == pytest.approx(whole[measure], rel=0.2)
    assert one[measure] != whole[measure]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features, identities = blobs(5, 1.0)
    whole = cluster_measures(features, identities)
    monkeypatch.setattr(clusters, "BLOCK", 50)
    assert cluster_measures(features, identities) == pytest.approx(whole)


MEASURED = """
import resource, numpy as np
from reid.evaluation.clusters import cluster_measures
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
identities = np.repeat(np.arange(1, 16001), 2)
features = np.random.default_rng(0).normal(size=(32000, 8))
cluster_measures(features[:100], identities[:100])
before = peak()
cluster_measures(features, identities)
print((peak() - before) // 1024)
"""


@pytest.mark.slow
def test_memory_is_bounded_whatever_the_number_of_identities() -> None:
    """16,000 identities have 128 million pairs: a gigabyte, if they were held at once."""
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400, done.stdout


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
