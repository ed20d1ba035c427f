"""Numbers of a metric whose unit nobody knows, with as many digits as their uncertainty leaves."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from reid.metrics.formatting import MISSING

MOST_DECIMALS = 6
DIGITS = 2  # of an uncertainty


@dataclass(frozen=True)
class Format:
    """Numbers of one table, alike: with `decimals`, or where these would be too many, with a power of ten."""

    decimals: int

    @classmethod
    def of(cls, uncertainties: Iterable[float], values: Iterable[float] = ()) -> "Format":
        """For numbers known to within these: two digits of the smallest; where all are 0 or none, of the values."""
        sizes = [abs(one) for one in uncertainties if math.isfinite(one) and one]
        sizes = sizes or [abs(one) for one in values if math.isfinite(one) and one]
        return cls(max(0, DIGITS - 1 - math.floor(math.log10(min(sizes)))) if sizes else 1)

    def plain(self, value: float) -> str:
        if math.isnan(value):
            return MISSING
        text = f"{value:,.{self.decimals}f}" if self.decimals <= MOST_DECIMALS else f"{value:.{DIGITS}e}"
        return text.replace(",", "\u202f").replace("-", "−")

    def signed(self, value: float) -> str:
        """A difference with its sign; what rounds to nothing has none."""
        text = self.plain(abs(value))
        if math.isnan(value) or not text.strip("0.\u202f"):
            return text
        return ("−" if value < 0 else "+") + text

    def interval(self, low: float, high: float) -> str:
        return MISSING if math.isnan(low) else f"[{self.signed(low)}, {self.signed(high)}]"
