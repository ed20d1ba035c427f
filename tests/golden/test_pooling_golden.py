"""Pooling against fast-reid."""

from collections.abc import Callable

import pytest
import torch

from reid.models.pooling import Pool
from reid.recipe import Pooling
from tests.golden.conftest import Golden, close

pytestmark = pytest.mark.golden


@pytest.mark.parametrize("p", [3.0, 6.5])
@pytest.mark.parametrize("learned", [False, True])
def test_generalized_mean(golden: Callable[[str], Golden], p: float, learned: bool) -> None:
    g = golden("variants_fastreid")
    pool = Pool(Pooling(kind="gem", p=p, learned=learned)).double()
    close(pool(torch.from_numpy(g["pool_in"])), g[f"pool_gem_p{p:g}"][:, :, 0, 0])


def test_average_and_maximum(golden: Callable[[str], Golden]) -> None:
    """fast-reid stores their sum."""
    g = golden("variants_fastreid")
    maps = torch.from_numpy(g["pool_in"])
    close(Pool(Pooling())(maps) + Pool(Pooling(kind="max"))(maps), g["pool_avgmax"][:, :, 0, 0])
