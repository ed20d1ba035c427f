"""Numbers as the report prints them: fractions as percent with one decimal, minus signs as minus signs."""

import math

FRACTIONS = ("mAP", "mINP", "rank1", "rank5", "rank10")
MISSING = "–"


def percent(value: float) -> str:
    """0.873 as 87.3."""
    return MISSING if math.isnan(value) else f"{100 * value:.1f}"


def number(value: float) -> str:
    """A cost with one decimal, thousands apart."""
    return MISSING if math.isnan(value) else f"{value:,.1f}".replace(",", "\u202f")


def signed(metric: str, value: float) -> str:
    """A difference with its sign and one decimal, fractions in points of percent; what rounds to 0.0 has no sign."""
    if math.isnan(value):
        return MISSING
    text = percent(abs(value)) if metric in FRACTIONS else number(abs(value))
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
    shown = 100 * value if metric in FRACTIONS else value
    return number(math.ceil(10 * shown - 1e-9) / 10) + " points" * (metric in FRACTIONS)


def probability(p: float) -> str:
    """A p-value."""
    if math.isnan(p):
        return MISSING
    return "<0.001" if p < 0.001 else f"{p:.3f}"
