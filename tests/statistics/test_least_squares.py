"""Least squares of any rank."""

import numpy as np
import pytest

from reid.statistics.least_squares import Fit, basis


def test_a_contrast_the_runs_cannot_tell_has_no_scale_and_the_others_have() -> None:
    x = np.array([[1.0, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 1]])  # the first and third column are the same
    fit = Fit(x, np.array([1.0, 1.2, 2.0, 2.2]))
    assert fit.df == 2
    assert fit.coefficients[1] == pytest.approx(1.0)
    assert np.isnan(fit.scale(np.eye(3))).tolist() == [True, False, True]
    assert float(fit.sd) == pytest.approx(np.sqrt(4 * 0.01 / 2))


def test_without_degrees_of_freedom_there_is_no_noise() -> None:
    fit = Fit(np.array([[1.0, 0], [1, 1]]), np.array([1.0, 3.0]))
    assert fit.coefficients == pytest.approx([1, 2])
    assert np.isnan(fit.sd)


def test_a_basis_spans_no_more_than_its_columns() -> None:
    x = np.array([[1.0, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 1]])
    found = basis(x)
    assert found.shape == (4, 2)
    assert found @ (found.T @ x) == pytest.approx(x)
    assert basis(np.zeros((4, 2))).shape == (4, 0)
