"""Numbers as tables write them."""

import re
import sys
from collections.abc import Sequence

from reid.analysis.any_trainer.sheet import Sheet
from reid.errors import InputError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
NOTHING = frozenset({"", "n/a", "na", "null", "none", "-", "–", "—"})
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def number(text: str) -> float | None:
    """A number, None for other text. What is beyond a float is infinite, as the largest float is: MLflow keeps
    infinity so.
    """
    text = text.replace("−", "-")
    if NOT_FINITE.fullmatch(text):
        return float(text)
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < sys.float_info.max else value * float("inf")


def numbers(sheet: Sheet, place: int, wanted: Sequence[int]) -> dict[int, float | None]:
    """The numbers in the `wanted` rows of a column, None where nothing is written; infinite or NaN ones as they are.

    Percent signs are taken off if all numbers have them. Raises InputError for text, and where some have the sign only.
    """
    cells = {row: sheet.column(place)[row] for row in wanted}
    written = {row: cell for row, cell in cells.items() if cell.casefold() not in NOTHING}
    head, signed = sheet.heads[place], [row for row, cell in written.items() if cell.endswith("%")]
    if signed and len(signed) < len(written):
        bare = next(cell for row, cell in written.items() if row not in signed)
        raise InputError(
            f"{sheet.where} {sheet.rows[signed[0]]}: {head} must be in percent in all lines or in none, "
            f"found {written[signed[0]]!r} beside {bare!r}; write all alike"
        )
    commas = sheet.decimal_comma and not any("." in cell for cell in written.values())
    found: dict[int, float | None] = dict.fromkeys(cells)
    for row, cell in written.items():
        text = cell.rstrip("% ")
        found[row] = number(text.replace(",", ".", 1) if commas else text)
        if found[row] is None:
            raise InputError(f"{sheet.where} {sheet.rows[row]}: {head} must be a number, found {cell!r}; mend the cell")
    return found
