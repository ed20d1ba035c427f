"""Least squares that says which contrasts the runs can estimate, and with which weights."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Fit:
    """Ordinary least squares of `y` (n,) or (n, m columns fitted alike) on `x` (n, p), of any rank."""

    def __init__(self, x: Array, y: Array) -> None:
        self.x = x
        self.inverse = np.linalg.pinv(x.T @ x, hermitian=True)
        self.coefficients = self.inverse @ (x.T @ y)
        self.row_space = self.inverse @ (x.T @ x)
        self.df = x.shape[0] - round(float(np.trace(self.row_space)))
        self.residual: Array = y - x @ self.coefficients

    @property
    def sd(self) -> Array:
        """Standard deviation of the residual; NaN where no degree of freedom is left."""
        if not self.df:
            return np.full(self.residual.shape[1:], np.nan)
        return np.asarray(np.sqrt((self.residual**2).sum(axis=0) / self.df))

    def scale(self, contrasts: Array) -> Array:
        """Standard errors (q,) of `contrasts` (q, p) for noise of standard deviation 1; NaN where not estimable."""
        gap = np.abs(contrasts @ self.row_space - contrasts).max(axis=1, initial=0)
        scale = np.sqrt(np.einsum("qi,ij,qj->q", contrasts, self.inverse, contrasts).clip(min=0))
        scale[~(gap < 1e-8)] = np.nan
        return np.asarray(scale)

    def weights(self, contrasts: Array) -> Array:
        """Weights (q, n) of the rows in the estimates of `contrasts` (q, p)."""
        return np.asarray(contrasts @ self.inverse @ self.x.T)


def basis(x: Array) -> Array:
    """Orthonormal columns (n, rank) that span the columns of `x` (n, p)."""
    if not x.size:
        return np.zeros((len(x), 0))
    left, size, _ = np.linalg.svd(x, full_matrices=False)
    return np.asarray(left[:, size > 1e-9 * max(size.max(initial=0), 1)])
