"""What ranking at random would score."""

import numpy as np

from reid.data import Dataset


def chance_mAP(dataset: Dataset) -> float:
    """Expected mAP, a fraction, of a random order of the gallery under the Market protocol.

    For a query with m matches among n ranked images E[AP] = (H + (m − 1)/(n − 1)·(n − H))/n with H = 1 + 1/2 + … + 1/n.
    Queries without a match do not count.
    """
    query, gallery = dataset.query, dataset.gallery
    expected = []
    for identity, camera in zip(query.identities, query.cameras, strict=True):
        same = gallery.identities == identity
        elsewhere = same & (gallery.cameras != camera)
        m, n = int(elsewhere.sum()), len(gallery) - int(same.sum()) + int(elsewhere.sum())
        if m:
            harmonic = float((1 / np.arange(1, n + 1)).sum())
            expected.append((harmonic + (m - 1) / max(n - 1, 1) * (n - harmonic)) / n)
    return float(np.mean(expected))
