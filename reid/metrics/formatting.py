"""Numbers as the report prints them: fractions as percent with one decimal, minus signs as minus signs."""

import math

from reid.metrics.spec import is_fraction, unit_of

MISSING = "–"


def percent(value: float) -> str:
    """0.873 as 87.3."""
    return MISSING if math.isnan(value) else f"{100 * value:.1f}"


def number(value: float) -> str:
    """A cost with one decimal, thousands apart."""
    return MISSING if math.isnan(value) else f"{value:,.1f}".replace(",", "\u202f")


def measured(metric: str, value: float) -> str:
    """A value of a metric: fractions in percent, costs with one decimal, small numbers of another kind with three
    digits."""
    if is_fraction(metric):
        return percent(value)
    if unit_of(metric).is_cost or not 1e-9 < abs(value) < 10:
        return number(value)
    return f"{value:.3g}".replace("-", "−")


def signed(metric: str, value: float) -> str:
    """A difference with its sign, fractions in points of percent; what rounds to 0.0 has no sign."""
    if math.isnan(value):
        return MISSING
    text = measured(metric, abs(value))
    if text == "0.0":
        return text
    return ("−" if value < 0 else "+") + text


def interval(metric: str, low: float, high: float) -> str:
    """[low, high] of a difference."""
    return MISSING if math.isnan(low) else f"[{signed(metric, low)}, {signed(metric, high)}]"


def span(low: float, high: float) -> str:
    """A range of fractions, in percent."""
    return MISSING if math.isnan(low) else f"{percent(low)}–{percent(high)}"


def magnitude(metric: str, value: float) -> str:
    """An upper bound, rounded up so that it stays one."""
    if is_fraction(metric):
        return number(math.ceil(1000 * value - 1e-9) / 10) + " points"
    coarse = unit_of(metric).is_cost or not 1e-9 < value < 10
    step = 0.1 if coarse else 10.0 ** (math.floor(math.log10(value)) - 2)
    return measured(metric, math.ceil(value / step - 1e-9) * step)


def probability(p: float) -> str:
    """A p-value."""
    if math.isnan(p):
        return MISSING
    return "<0.001" if p < 0.001 else f"{p:.3f}"
