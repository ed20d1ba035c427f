"""Numbers of a metric in an unknown unit."""

import math

import pytest

from reid.metrics.digits import Format


@pytest.mark.parametrize(
    ("uncertainty", "value", "printed"),
    [
        (0.0123, 0.9, "0.900"),
        (1.2, 91.23, "91.2"),
        (34.0, 1234.5, "1\u202f234"),
        (4000.0, -1234567.0, "−1\u202f234\u202f567"),
        (3e-9, 1.5e-8, "1.50e−08"),
        (1.0, math.nan, "–"),
    ],
)
def test_as_many_digits_as_are_known(uncertainty: float, value: float, printed: str) -> None:
    assert Format.of([math.nan, uncertainty, 0.0, 9 * uncertainty]).plain(value) == printed


def test_signs() -> None:
    form = Format.of([0.01])
    assert [form.signed(value) for value in (0.5, -0.5, 0.0001, 0.0, math.nan)] == [
        "+0.500",
        "−0.500",
        "0.000",
        "0.000",
        "–",
    ]
    assert form.interval(-1, 2) == "[−1.000, +2.000]"
    assert form.interval(math.nan, math.nan) == "–"
    assert Format.of([0.0], [12.5]).plain(12.5) == "12"
    assert Format.of([math.nan]).plain(12.5) == "12.5"
