"""The indices on curves with known answers, and what they do not change under."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reid.training import INDICES, measure_dynamics, oscillation
from reid.training.diagnostics.oscillation import CHOSEN, WINDOWS, amplitude, correlation, disagreement, spikes, turns

T = 20 * WINDOWS
TIME = np.arange(T) / T
ZIGZAG = np.repeat(np.arange(WINDOWS) % 2, T // WINDOWS).astype(float)  # up and down from window to window
FALL = 5 - 4 * TIME


def noise(seed: int, size: int = T) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size)


class TestKnownAnswers:
    def test_every_index_by_name(self) -> None:
        found = oscillation(FALL, FALL)
        assert [*found, *INDICES[len(found) :]] == list(INDICES)
        assert found["oscillation"] == found[CHOSEN]

    def test_losses_that_fall_together_do_not_fight(self) -> None:
        found = oscillation(FALL, np.exp(-3 * TIME))
        assert found["oscillation"] == found["disagreement"] == 0
        assert found["id_turns"] == found["triplet_turns"] == found["id_rise"] == 0
        assert found["id_amplitude"] == pytest.approx(0, abs=1e-9)
        assert found["id_spikes"] == 0

    def test_losses_that_move_against_each_other(self) -> None:
        found = oscillation(3 + ZIGZAG, 3 - ZIGZAG)
        assert found["oscillation"] == found["disagreement"] == found["id_turns"] == 1
        assert found["id_rise"] == pytest.approx(20 / 39)
        assert found["correlation"] == pytest.approx(-1)

    def test_one_falls_while_the_other_zigzags(self) -> None:
        share, weighted = disagreement(FALL, 3 + ZIGZAG)
        assert (share, weighted) == pytest.approx((20 / 39, 20 / 39)), "20 of 39 steps go up"

    def test_weighting_forgets_a_trembling_that_is_small(self) -> None:
        late = TIME > 0.5
        share, weighted = disagreement(FALL * ~late + late * 3, FALL * ~late + late * (3 + 1e-3 * ZIGZAG))
        assert weighted < 1e-3
        assert share == 0, "a loss that stands still neither falls nor rises"
        trembling = disagreement(FALL * ~late + late * (3 - 1e-3 * ZIGZAG), FALL * ~late + late * (3 + 1e-3 * ZIGZAG))
        assert trembling[0] > 0.45
        assert trembling[1] < 1e-3

    def test_amplitude_of_a_fast_wave_on_a_line(self) -> None:
        wave = np.where(np.arange(T) % 2, 0.5, -0.5)
        assert amplitude(10 - 5 * TIME + wave) == pytest.approx(0.05, rel=0.01), "0.5 of 10 at the start"

    def test_turns_of_noise_are_two_thirds(self) -> None:
        found = [turns(noise(seed, 4000))[0] for seed in range(200)]
        assert np.mean(found) == pytest.approx(2 / 3, abs=0.02)

    def test_spikes_and_their_recovery(self) -> None:
        curve = 2 + 0.01 * noise(1)
        for begin in (200, 500):
            curve[begin : begin + 6] += 3
        rate, recovery = spikes(curve)
        assert 2 <= rate * T <= 6, "the two, and the few of 800 normal values beyond four robust deviations"
        flat = np.full(T, 2.0)
        flat[[100, 101, 102, 300]] = 5.0
        assert spikes(flat) == (2 / T, 2.0)
        assert np.isnan(spikes(np.full(T, 2.0))[1])
        assert recovery > 1

    def test_a_spike_at_the_end_is_counted(self) -> None:
        flat = np.full(T, 2.0)
        flat[-3:] = 9.0
        assert spikes(flat) == (1 / T, 3.0)

    def test_correlation_is_numpys_of_what_is_left_of_the_trend(self) -> None:
        shared = noise(2)
        one, two = 9 - 8 * TIME + shared, 3 - 2 * TIME + shared + noise(3)
        assert correlation(one, two) == pytest.approx(np.corrcoef(shared, shared + noise(3))[0, 1], abs=0.03)


class TestWhatIsMissing:
    def test_a_loss_that_is_off(self) -> None:
        found = oscillation(FALL, np.full(T, np.nan))
        assert np.isnan(found["oscillation"])
        assert found["id_turns"] == 0
        assert np.isnan(found["triplet_turns"])

    def test_a_diverged_run_counts_up_to_its_end(self) -> None:
        one, two = 3 + ZIGZAG, 3 - ZIGZAG
        one[T // 2 :] = np.nan
        two[T // 2 + 3 :] = np.inf
        assert oscillation(one, two) == oscillation(one[: T // 2], two[: T // 2])

    def test_too_short(self) -> None:
        assert all(np.isnan(value) for value in oscillation(FALL[:11], FALL[:11]).values())
        assert np.isfinite(oscillation(FALL[:12], FALL[:12])["disagreement"])

    def test_curves_of_two_lengths(self) -> None:
        with pytest.raises(ValueError, match=r"one length \(T,\) are needed, found \(800,\) and \(799,\)"):
            oscillation(FALL, FALL[1:])


CURVES = arrays(
    np.float64, 2 * WINDOWS * 4, elements=st.integers(1, 80).map(lambda eighths: eighths / 8)
)  # sums are exact


@settings(max_examples=50, deadline=None)
@given(CURVES, CURVES, st.sampled_from([0.25, 0.5, 4.0, 1024.0]))
@pytest.mark.slow
def test_scale_changes_nothing(one: np.ndarray, two: np.ndarray, scale: float) -> None:
    """Powers of two, so that equal values stay equal and ties break alike."""
    np.testing.assert_allclose(list(oscillation(scale * one, two).values()), list(oscillation(one, two).values()))


@settings(max_examples=50, deadline=None)
@given(CURVES, CURVES, st.integers(2, 5))
@pytest.mark.slow
def test_stretching_changes_only_spikes(one: np.ndarray, two: np.ndarray, times: int) -> None:
    short, long = oscillation(one, two), oscillation(np.repeat(one, times), np.repeat(two, times))
    exact = ("oscillation", "disagreement", "weighted_disagreement", "id_turns", "id_rise", "triplet_turns")
    np.testing.assert_allclose([long[name] for name in exact], [short[name] for name in exact], atol=1e-6)


def test_a_finer_sampling_of_the_same_shape() -> None:
    """Amplitude and correlation, whose trend runs between windows, up to their edges."""

    def shape(size: int) -> tuple[np.ndarray, np.ndarray]:
        time = np.arange(size) / size
        wave = np.sin(2 * np.pi * 60 * time)
        return 4 - 3 * time + 0.3 * wave, 2 - time - 0.2 * wave

    short, long = oscillation(*shape(2000)), oscillation(*shape(8000))
    for name in ("id_amplitude", "triplet_amplitude", "correlation"):
        assert long[name] == pytest.approx(short[name], rel=0.03)


@settings(max_examples=50, deadline=None)
@given(CURVES, CURVES)
@pytest.mark.slow
def test_the_two_losses_may_change_places(one: np.ndarray, two: np.ndarray) -> None:
    forth, back = oscillation(one, two), oscillation(two, one)
    for name in ("oscillation", "disagreement", "correlation"):
        assert forth[name] == pytest.approx(back[name], nan_ok=True)


def test_dynamics_of_recorded_curves() -> None:
    frame = pd.DataFrame({"id_loss": FALL, "triplet_loss": FALL})
    for name in ("conflict_share", "conflict_both", "conflict_cosine", "conflict_batch_cosine"):
        frame[name] = np.where(np.arange(T) % 20 == 0, 0.25, np.nan)
    found = measure_dynamics(frame)
    assert list(found) == list(INDICES)
    assert found["conflict_share"] == 0.25, "the mean over iterations with a measurement"
