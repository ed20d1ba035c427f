"""Curves of many iterations as the few points that MLflow keeps: the extremes of every bin.

MLflow cannot take a point back, and a run is projected again and again while it grows. So a bin is a whole number of
epochs, or a fixed part of one, and never moves: what was sent stays right, and nothing is sent twice.
"""

import numpy as np
from numpy.typing import NDArray

BINS = 149  # two points a bin and the last one: at most 299


def epochs_a_bin(epochs: int) -> int:
    """How many epochs share a bin in a training of `epochs` epochs."""
    return -(-epochs // BINS)


def bins(epoch: NDArray[np.int32], epochs: int) -> NDArray[np.int64]:
    """[n] bin of every iteration, ascending, from the ascending 1-based `epoch` [n] it belongs to.

    At most BINS bins; in a short training an epoch is cut into equal parts.
    """
    _, first, row, length = np.unique(epoch, return_index=True, return_inverse=True, return_counts=True)
    parts = max(1, BINS // epochs)
    part = (np.arange(len(epoch)) - first[row]) * parts // length[row]
    return (epoch.astype(np.int64) - 1) // epochs_a_bin(epochs) * parts + part


def extremes(values: NDArray[np.floating], bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ascending indices of the smallest and the largest finite value of every bin; `values` [n], `bins` [n]."""
    finite = np.flatnonzero(np.isfinite(values))
    order = finite[np.lexsort((values[finite], bins[finite]))]
    border = np.flatnonzero(np.diff(bins[order]))
    smallest, largest = np.append(-1, border) + 1, np.append(border, len(order) - 1)
    return np.unique(order[np.append(smallest, largest)]) if len(order) else order
