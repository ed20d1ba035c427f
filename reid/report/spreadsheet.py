"""CSV files whose cells a spreadsheet shows and does not obey."""

import csv
import re
import sys
from pathlib import Path

from reid.files import atomic

FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:inf|nan)")


def disarm(file: Path) -> None:
    """Put an apostrophe before every cell that a spreadsheet would take for a formula; numbers stay as they are."""
    csv.field_size_limit(sys.maxsize)
    with file.open(encoding="utf-8", newline="") as table:
        rows = [[text_cell(cell) for cell in row] for row in csv.reader(table)]
    with atomic(file) as temporary, temporary.open("w", encoding="utf-8", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows(rows)


def text_cell(cell: str) -> str:
    """A cell as it may be opened."""
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell
