"""The elements of a page. Every format of the report is made from these classes alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "right", "center"]
Lines = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    body: str


@dataclass(frozen=True)
class Alert:
    """A paragraph in a frame: what a reader must know before the numbers."""

    body: str


@dataclass(frozen=True)
class Code:
    """Text as it is, in a typewriter face."""

    body: str


@dataclass(frozen=True)
class Figure:
    """An image of the page's width; `file` lies in the folder that the report is written from."""

    file: str
    caption: str


@dataclass(frozen=True)
class Column:
    """A column's heading; one that stretches takes the width that the others leave."""

    title: str
    align: Align = "left"
    stretch: bool = False


def left(title: str) -> Column:
    return Column(title)


def right(title: str) -> Column:
    return Column(title, "right")


def centred(title: str) -> Column:
    return Column(title, "center")


def wide(title: str) -> Column:
    return Column(title, stretch=True)


@dataclass(frozen=True)
class Table:
    """Rows of a cell a column. `side_by_side` lays the rows out in so many columns of the page."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    side_by_side: int = 1


@dataclass(frozen=True)
class Facts:
    """Keys and values, a line each."""

    lines: Lines


@dataclass(frozen=True)
class Card:
    """Keys and values under a title."""

    title: str
    lines: Lines


@dataclass(frozen=True)
class RankedImage:
    """An image of a rank list: its file, as a figure's, and whether it shows the query's identity."""

    file: str
    right: bool


@dataclass(frozen=True)
class RankList:
    """A query's file, and the images ranked best for it."""

    query: str
    top: Sequence[RankedImage]


@dataclass(frozen=True)
class Ranks:
    """Rank lists under a title."""

    title: str
    lists: Sequence[RankList]


Element = Text | Alert | Code | Figure | Table | Facts | Card | Ranks


@dataclass(frozen=True)
class Section:
    """Elements under a heading."""

    title: str
    elements: Sequence[Element]


@dataclass(frozen=True)
class Document:
    """A report: its first page, then its sections. `created` is an ISO 8601 date, of the PDF."""

    title: str
    name: str
    question: str
    created: str
    headline: str
    verdict: Sequence[Element]
    sections: Sequence[Section]
