"""The building blocks of a page, as assets/template.typ expects them."""

from collections.abc import Sequence
from typing import Any

Block = dict[str, Any]


def text(body: str) -> Block:
    return {"kind": "text", "body": body}


def warning(body: str) -> Block:
    return {"kind": "warning", "body": body}


def code(body: str) -> Block:
    return {"kind": "code", "body": body}


def figure(file: str, caption: str) -> Block:
    return {"kind": "figure", "file": file, "caption": caption}


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "", side_by_side: int = 1) -> Block:
    """`columns` are headings, each led by its alignment: "<" left, ">" right, "=" centred; "*" after it takes the
    width that is left. `side_by_side` lays the rows out in so many columns of the page."""
    alignments = {"<": "left", ">": "right", "=": "center"}
    return {
        "kind": "table",
        "headings": [column.lstrip("<>=*") for column in columns],
        "align": [alignments[column[0]] for column in columns],
        "stretch": [column[1:2] == "*" for column in columns],
        "rows": [list(row) for row in rows],
        "caption": caption,
        "side_by_side": side_by_side,
    }


def facts(lines: Sequence[tuple[str, str]]) -> Block:
    """Keys and values, a line each."""
    return {"kind": "facts", "lines": [list(line) for line in lines]}


def card(title: str, lines: Sequence[tuple[str, str]]) -> Block:
    return {"kind": "card", "title": title, "lines": [list(line) for line in lines]}


def ranks(title: str, lists: Sequence[tuple[str, Sequence[tuple[str, bool]]]]) -> Block:
    """Ranked images under a title: every query's file, and of each of its best the file and whether it is right."""
    rows = [{"query": query, "top": [{"file": file, "right": right} for file, right in top]} for query, top in lists]
    return {"kind": "ranks", "title": title, "rows": rows}


def section(title: str, *blocks: Block) -> Block:
    return {"title": title, "blocks": list(blocks)}
