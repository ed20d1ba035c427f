"""What the text of a PDF must hold: numbers as a page shows them, and rows of tables as poppler gives them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

Read = Callable[[Path], str]


def percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.1f}"


def points(value: float) -> str:
    """A signed difference as a page shows it."""
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "–" if pd.isna(value) else text.lstrip("+−") if text[1:] == "0.0" else text


def triple(value: float, low: float, high: float) -> list[str]:
    """An effect and its interval as the words of a line."""
    return [points(value), "–"] if pd.isna(low) else [points(value), f"[{points(low)},", f"{points(high)}]"]


def plain(value: float, low: float, high: float) -> list[str]:
    """An effect on a cost and its interval as the words of a line."""
    words = [text.lstrip("+−") if text[1:] == "0.0" else text for text in (signed(one) for one in (value, low, high))]
    return [words[0], "–"] if pd.isna(low) else [words[0], f"[{words[1]},", f"{words[2]}]"]


def signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def probability(p: float) -> str:
    return "–" if pd.isna(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def rows(text: str, label: str) -> Iterator[list[str]]:
    """The words after `label` on each line that begins with it."""
    for line in text.splitlines():
        if line.strip().startswith(label):
            yield line.strip()[len(label) :].split()


def has_row(text: str, label: str, words: list[str]) -> bool:
    """Whether a line that begins with `label` goes on with `words`."""
    return any(found[: len(words)] == words for found in rows(text, label))


def tables(pdf: Path) -> Callable[[str], pd.DataFrame]:
    return lambda name: pd.read_csv(pdf.parent / "tables" / f"{name}.csv", dtype={"arm": str})
