"""Numbers in words."""

import math

from reid.metrics.formatting import interval, magnitude, number, percent, probability, signed, span


def test_fractions_are_percent_with_one_decimal() -> None:
    assert percent(0.8734) == "87.3"
    assert signed("mAP", -0.0123) == "−1.2"
    assert signed("mAP", -0.0001) == "0.0"
    assert interval("rank1", -0.01, 0.02) == "[−1.0, +2.0]"
    assert span(0.5, 0.62) == "50.0–62.0"


def test_a_bound_is_rounded_up() -> None:
    assert magnitude("mAP", 0.00501) == "0.6 points"
    assert magnitude("mAP", 0.005) == "0.5 points"
    assert magnitude("train_seconds", 12.34) == "12.4"


def test_costs_keep_their_unit() -> None:
    assert signed("train_seconds", 12345.67) == "+12\u202f345.7"
    assert number(3.0) == "3.0"


def test_what_is_missing_is_a_dash() -> None:
    nan = math.nan
    assert [
        percent(nan),
        number(nan),
        signed("mAP", nan),
        interval("mAP", nan, nan),
        probability(nan),
        span(nan, nan),
    ] == ["–"] * 6


def test_p_values() -> None:
    assert [probability(p) for p in (0.0001, 0.0421, 1.0)] == ["<0.001", "0.042", "1.000"]
