"""Words from intervals."""

import pytest

from reid.reporting.verdict import call, more_seeds


@pytest.mark.parametrize(
    ("low", "high", "significant", "words"),
    [
        (0.01, 0.03, True, "helps"),
        (-0.03, -0.01, True, "hurts"),
        (0.01, 0.03, False, None),
        (-0.001, 0.012, True, None),
        (-0.002, 0.0031, False, "no effect larger than 0.4 points"),
        (0.001, 0.004, True, "no effect larger than 0.4 points"),
        (-0.004, 0.001, False, "no effect larger than 0.4 points"),
    ],
)
def test_call(low: float, high: float, significant: bool, words: str | None) -> None:
    assert call("mAP", low, high, significant, rope=0.005) == words


def test_more_seeds_shrink_the_interval_until_it_tells() -> None:
    # Four arms: the error of an effect is sd / sqrt(seeds). t(9 df) / sqrt(4) = 1.13, t(12 df) / sqrt(5) = 0.97.
    assert more_seeds(1.0, arms=4, seeds=2, sd=1.0, factors=1) == 3
    assert more_seeds(0.2, arms=4, seeds=2, sd=1.0, factors=1) > more_seeds(2.0, arms=4, seeds=2, sd=1.0, factors=1)
