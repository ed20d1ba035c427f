"""Bounds over looks: the error rate is spent, no more, however often one looks."""

import numpy as np
import pytest

from reid.statistics.spending import bound, normal_bound, spent


def test_pocock_s_kind_spends_all_at_the_end() -> None:
    assert spent(1.0, 0.05) == pytest.approx(0.05)
    assert spent(0.2, 0.05) == pytest.approx(0.05 * np.log(1 + 1.718281828 * 0.2))


def test_bounds_equal_published_ones() -> None:
    """Five equal looks, Pocock's kind at a two-sided 5 %: 2.44, 2.43, 2.41, 2.40, 2.39 (Jennison and Turnbull 2000)."""
    shares = (0.2, 0.4, 0.6, 0.8, 1.0)
    found = [normal_bound(shares[:n], 0.05) for n in range(1, 6)]
    assert found == pytest.approx([2.44, 2.43, 2.41, 2.40, 2.39], abs=0.01)


def test_one_look_is_an_ordinary_test() -> None:
    assert normal_bound((1.0,), 0.05) == pytest.approx(1.96, abs=0.001)
    assert bound((1.0,), 0.05, 10) == pytest.approx(2.228, abs=0.001)


def test_an_effect_of_nothing_crosses_in_5_percent() -> None:
    random = np.random.default_rng(0)
    shares = tuple(n / 12 for n in range(2, 13))
    steps = np.diff((0, *shares))[:, None]
    z = np.cumsum(random.normal(size=(11, 40000)) * np.sqrt(steps), axis=0) / np.sqrt(np.array(shares))[:, None]
    bounds = np.array([normal_bound(shares[: n + 1], 0.05) for n in range(11)])
    assert (np.abs(z) > bounds[:, None]).any(axis=0).mean() == pytest.approx(0.05, abs=0.004)
