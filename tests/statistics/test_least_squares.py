"""Least squares and Holm's correction against their references."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from reid.statistics.least_squares import Fit, Noise, holm


def test_holm_equals_statsmodels() -> None:
    p = np.random.default_rng(0).uniform(size=20) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_holm_leaves_nan_out_of_the_family() -> None:
    assert holm(np.array([0.01, np.nan, 0.04])) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert holm(np.array([])).size == 0


def test_a_contrast_the_runs_cannot_tell_is_nan_and_the_others_are_not() -> None:
    x = np.array([[1.0, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 1]])  # the first and third column are the same
    fit = Fit(x, np.array([1.0, 1.2, 2.0, 2.2]))
    found = fit.infer(np.eye(3), Noise(fit.sd, fit.df, "residual"))
    assert fit.df == 2
    assert found.effect == pytest.approx([np.nan, 1.0, np.nan], nan_ok=True)
    assert np.isnan(found.p).tolist() == [True, False, True]


def test_without_degrees_of_freedom_there_are_estimates_but_no_intervals() -> None:
    fit = Fit(np.array([[1.0, 0], [1, 1]]), np.array([1.0, 3.0]))
    found = fit.infer(np.eye(2), Noise(fit.sd, fit.df, "residual"))
    assert found.effect == pytest.approx([1, 2])
    assert np.isnan([*found.low, *found.high, *found.p]).all()
