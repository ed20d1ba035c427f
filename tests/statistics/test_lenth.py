"""Lenth's pseudo standard error on a published example and on its trimming."""

import numpy as np
import pytest

from reid.statistics.lenth import pseudo_standard_error


def test_by_hand() -> None:
    # Median of the sizes 4 gives the guess 6; 100 is beyond 15 and left out; the median of the rest is 3.5.
    contrasts = np.array([1.0, -2, 3, 4, -5, 6, 100])
    assert pseudo_standard_error(contrasts) == pytest.approx(1.5 * 3.5)


def test_estimates_the_standard_error_of_noise_whatever_a_few_contrasts_are() -> None:
    contrasts = np.random.default_rng(0).normal(0, 2, size=(63, 4000))
    contrasts[:6] += 50
    assert np.median(pseudo_standard_error(contrasts)) == pytest.approx(2, rel=0.1)


def test_constant_runs_have_none() -> None:
    assert pseudo_standard_error(np.zeros(7)) == 0
