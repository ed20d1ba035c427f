"""The golden arrays: numbers of the reference implementation on seeded inputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

Golden = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Golden]:
    """`golden("center_loss")` gives that file's arrays by name."""

    def read(name: str) -> Golden:
        with np.load(Path(__file__).parent / f"{name}.npz") as arrays:
            return dict(arrays)

    return read


def double(array: Any) -> Tensor:
    """A float64 leaf that takes a gradient."""
    return torch.tensor(np.asarray(array), dtype=torch.float64, requires_grad=True)


def close(actual: Any, expected: Any, rtol: float = 1e-9, atol: float = 1e-12) -> None:
    if isinstance(actual, Tensor):
        actual = actual.detach().numpy()
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)
