"""Curves are thinned without losing an extreme, and what was kept stays kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.tracking.downsample import BINS, bins, epochs_a_bin, extremes

curve_sizes = st.tuples(st.integers(1, 400), st.integers(1, 40))  # epochs, iterations an epoch


def wave(epochs: int, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy curve with a NaN in every 17th place, and the epoch of every value."""
    values = np.random.default_rng(epochs * 41 + iterations).normal(size=epochs * iterations)
    values[16::17] = np.nan
    return values, np.repeat(np.arange(1, epochs + 1, dtype=np.int32), iterations)


@given(curve_sizes)
def test_every_bin_keeps_its_extremes_and_nothing_else(size: tuple[int, int]) -> None:
    values, epoch = wave(*size)
    bin_of = bins(epoch, size[0])
    kept = extremes(values, bin_of)
    assert len(kept) <= 2 * BINS < 300
    assert (np.diff(kept) > 0).all()
    for number in np.unique(bin_of):
        here = np.flatnonzero((bin_of == number) & np.isfinite(values))
        chosen = np.intersect1d(kept, here)
        if len(here):
            assert values[chosen].min() == values[here].min()
            assert values[chosen].max() == values[here].max()
            assert len(chosen) == min(2, len(here))


@given(curve_sizes, st.integers(1, 400))
def test_what_is_kept_of_whole_bins_stays_kept_when_the_curve_grows(size: tuple[int, int], done: int) -> None:
    epochs, _ = size
    values, epoch = wave(*size)
    settled = epoch <= min(done, epochs) // epochs_a_bin(epochs) * epochs_a_bin(epochs)
    early = extremes(values[settled], bins(epoch[settled], epochs))
    late = extremes(values, bins(epoch, epochs))
    np.testing.assert_array_equal(early, late[late < settled.sum()])


def test_a_short_curve_is_kept_whole() -> None:
    values, epoch = np.arange(30.0), np.repeat(np.array([1, 2, 3], dtype=np.int32), 10)
    np.testing.assert_array_equal(extremes(values, bins(epoch, 3)), np.arange(30))


@pytest.mark.parametrize("values", [np.array([]), np.array([np.nan, np.inf, -np.inf])])
def test_nothing_finite_keeps_nothing(values: np.ndarray) -> None:
    assert len(extremes(values, np.zeros(len(values), dtype=np.int64))) == 0
