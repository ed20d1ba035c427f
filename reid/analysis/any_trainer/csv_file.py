"""A CSV file as spreadsheets and experiment trackers write it."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from reid.analysis.any_trainer.nested import unnested
from reid.analysis.any_trainer.sheet import Sheet, clean
from reid.errors import InputError

DELIMITERS = ",;\t|"


def read_csv_file(path: Path) -> Sheet:
    """The table of a CSV file: UTF-8, a head line, cells between commas, semicolons, tabs or bars.

    A column of whole dictionaries (Python's or JSON's) becomes a column an entry, "config.lr". Raises InputError for
    what is no such file, and for a line with other than as many cells as the head.
    """
    text = _text(path)
    delimiter = _delimiter(text)
    lines = _lines(path, text, delimiter)
    try:
        _, heads = next(lines)
    except StopIteration:
        raise InputError(f"{path}: must have a head line and a line a run, found nothing in it") from None
    rows, names = [], []
    for number, cells in lines:
        if len(cells) != len(heads):
            raise InputError(
                f"{path} line {number}: must have as many cells as the head, {len(heads)}, found {len(cells)}; "
                "mend the line, or put quotes around a cell with a comma in it"
            )
        rows.append(cells)
        names.append(f"line {number}")
    if not rows:
        raise InputError(f"{path}: must have a line a run under its head, found none")
    columns = [list(column) for column in zip(*rows, strict=True)]
    heads, columns = unnested([head or f"column {place}" for place, head in enumerate(heads, 1)], columns)
    created = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return Sheet(str(path), path.stem, heads, columns, names, created, decimal_comma=delimiter == ";")


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: must be a CSV file, found {error.strerror or error}") from None
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: must be text in UTF-8, found byte {error.start} that is not; save it so") from None
    if "\0" in text:
        raise InputError(f"{path}: must be a CSV file, found a zero byte; export the table as CSV")
    return text


def _delimiter(text: str) -> str:
    """The character that splits the head line into the most cells."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    counts = Counter({one: len(next(csv.reader([head], delimiter=one))) for one in DELIMITERS})
    return counts.most_common(1)[0][0]


def _lines(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that is not blank; a cell may have line breaks in it."""
    csv.field_size_limit(sys.maxsize)  # a run's whole configuration may stand in one cell
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [clean(cell) for cell in cells]
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num}: must be CSV, found {error}; mend the line") from None
