import numpy as np
import pytest

from reid.data import DecodedDataset
from reid.evaluation import chance_mAP, rank_distances


def test_chance_is_the_mean_over_random_orders(tiny: DecodedDataset) -> None:
    data = tiny.dataset
    generator = np.random.default_rng(0)
    measured = [
        rank_distances(
            generator.random((len(data.query), len(data.gallery))),
            data.query.identities,
            data.gallery.identities,
            data.query.cameras,
            data.gallery.cameras,
        ).mAP
        for _ in range(300)
    ]
    assert chance_mAP(data) == pytest.approx(np.mean(measured), abs=4 * np.std(measured) / 300**0.5)
