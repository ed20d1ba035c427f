"""The report's tables in Markdown."""

import re

from reid.report.elements import Document
from reid.report.render.latex import tables
from reid.shown import printable

MARKS = {"left": ":--", "right": "--:", "center": ":-:"}
# What Markdown makes something of. An underline within a word and a dash within a line are nothing to it.
SPECIAL = re.compile(r"[\\`*\[\]<>|~$]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|(?<=!)(?=\[)")
FIRST = re.compile(r"^(\s*)(#|[-+=](?=\s|$|[-=])|\d+(?=[.)]))")


def to_markdown(document: Document) -> str:
    """All tables of the report in Markdown, under the titles of their sections."""
    parts = [f"# {markdown(document.title)}\n\n{markdown(document.headline)}\n"]
    before = ""
    for title, table in tables(document):
        heads = [markdown(column.title) for column in table.columns]
        lines = [heads, [MARKS[column.align] for column in table.columns]]
        lines += [[markdown(cell) for cell in row] for row in table.rows]
        body = "\n".join("| " + " | ".join(row) + " |" for row in lines)
        heading = f"## {markdown(title)}\n\n" if title != before else ""
        caption = f"\n\n{markdown(table.caption)}" if table.caption else ""
        parts.append(f"{heading}{body}{caption}\n")
        before = title
    return "\n".join(parts)


def markdown(text: str) -> str:
    """Plain text for a line of Markdown."""
    line = " ".join(printable(text).split("\n"))
    escaped = SPECIAL.sub(lambda found: f"\\{found[0]}", line)
    return FIRST.sub(lambda found: f"{found[1]}\\{found[2]}" if not found[2].isdigit() else f"{found[0]}\\", escaped)
