"""p-values, corrections and simultaneous intervals against their references and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from reid.statistics.inference import Inference, benjamini_hochberg, holm, simultaneous
from reid.statistics.least_squares import Array


def inference(effect: Array, error: float = 1.0, df: float = 20, contrasts: int = 0) -> Inference:
    ones = np.ones_like(effect)
    return Inference(effect, ones, error * ones, df * ones, contrasts)


def test_holm_and_benjamini_hochberg_equal_statsmodels() -> None:
    p = np.random.default_rng(0).uniform(size=20) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_nan_is_left_out_of_the_family(adjust: type) -> None:
    expected = {holm: [0.02, np.nan, 0.04], benjamini_hochberg: [0.02, np.nan, 0.04]}[adjust]
    assert adjust(np.array([0.01, np.nan, 0.04])) == pytest.approx(expected, nan_ok=True)
    assert adjust(np.array([])).size == 0


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=8), st.floats(1, 60))
def test_interval_and_corrected_p_say_the_same(effects: list[float], df: float) -> None:
    found = inference(np.array(effects), df=df)
    low, high = simultaneous(found)
    called = holm(found.p) < 0.05
    assert ((low >= 0) | (high <= 0))[called].all()
    assert ((low <= 0) & (high >= 0))[~called].all()
    assert ((low <= found.effect) & (found.effect <= high)).all()


@pytest.mark.parametrize("truth", [np.zeros(6), np.array([3.0, 3, 3, 3, 3, 0]), np.array([2.0, -2, 4, 0, 0, 0])])
def test_simultaneous_intervals_hold_together_in_95_percent(truth: Array) -> None:
    random, together = np.random.default_rng(1), []
    for _ in range(4000):
        error = np.sqrt(random.chisquare(18) / 18)
        low, high = simultaneous(inference(truth + random.normal(size=6), float(error), 18))
        together.append(((low <= truth) & (truth <= high)).all())
    assert 0.945 <= np.mean(together) <= 0.985


def test_values_that_do_not_vary_are_not_tested() -> None:
    found = inference(np.array([0.0, 0.5]), error=0.0)
    assert np.isnan([*found.p, *found.low, *found.high]).all()


def test_lenth_has_critical_values_of_its_own() -> None:
    """Ye and Hamada 2000, individual error rate 0.05: 2.296 for 7 contrasts, 2.127 for 15, 2.031 for 31."""
    for contrasts, published in ((7, 2.297), (15, 2.156), (31, 2.065)):
        found = inference(np.array([0.0]), contrasts=contrasts)
        assert float(found.high[0]) == pytest.approx(published, rel=0.03)
    exact = inference(np.array([2.156]), contrasts=15)
    assert float(exact.p[0]) == pytest.approx(0.05, abs=0.005)
