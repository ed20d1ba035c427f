"""The report's tables in LaTeX (booktabs), as a document that compiles as it is, and in Markdown."""

from collections.abc import Iterator
from typing import Any

from reid.report.elements import Block

PREAMBLE = r"""\documentclass[a4paper,10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[margin=15mm,landscape]{geometry}
\usepackage{booktabs,longtable,array}
\begin{document}
\footnotesize
\setlength{\tabcolsep}{3pt}
"""
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$"}
SPECIAL |= {character: f"\\{character}" for character in "&%$#_{}"}
SYMBOLS = {
    "−": "$-$", "–": "--", "—": "---", "→": r"$\rightarrow$", "×": r"$\times$", "±": r"$\pm$", "●": r"$\bullet$",
    "○": r"$\circ$", "≤": r"$\leq$", "≥": r"$\geq$", "·": r"$\cdot$", "∑": r"$\sum$", "ε": r"$\varepsilon$",
    "\u202f": r"\,", "…": r"\ldots{}", "“": "``", "”": "''", "’": "'", "\n": " ",
}  # fmt: skip
COLUMNS = {"left": "l", "right": "r", "center": "c"}


def to_latex(content: dict[str, Any]) -> str:
    """All tables of the report as a LaTeX document: a longtable each, to be taken out or compiled whole."""
    parts = [
        f"% {title}\n\\begin{{longtable}}{{{_columns(table)}}}\n"
        + f"\\caption{{{latex(table['caption'] or title)}}}\\\\\n\\toprule\n"
        + _row([f"\\textbf{{{latex(cell)}}}" for cell in table["headings"]])
        + "\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n"
        + "".join(_row([latex(cell) for cell in row]) for row in table["rows"])
        + "\\end{longtable}\n"
        for title, table in tables(content)
    ]
    return PREAMBLE + "\n".join(parts) + "\\end{document}\n"


def to_markdown(content: dict[str, Any]) -> str:
    """All tables of the report in Markdown, under the titles of their sections."""
    parts = [f"# {content['title']}\n\n{content['headline']}\n"]
    before = ""
    for title, table in tables(content):
        marks = {"left": ":--", "right": "--:", "center": ":-:"}
        lines = [table["headings"], [marks[align] for align in table["align"]], *table["rows"]]
        body = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines)
        heading = f"## {title}\n\n" if title != before else ""
        caption = f"\n\n{table['caption']}" if table["caption"] else ""
        parts.append(f"{heading}{body}{caption}\n")
        before = title
    return "\n".join(parts)


def tables(content: dict[str, Any]) -> Iterator[tuple[str, Block]]:
    """Every table with rows, with the title of its section."""
    sections = [{"title": "Verdict", "blocks": content["verdict"]}, *content["sections"]]
    for section in sections:
        for block in section["blocks"]:
            if block["kind"] == "table" and block["rows"]:
                yield section["title"], block


def latex(text: str) -> str:
    """Plain text for LaTeX; a character that its standard fonts lack as its code point."""
    return "".join(SPECIAL.get(c) or SYMBOLS.get(c) or (c if ord(c) < 0x180 else f"U+{ord(c):04X}") for c in text)


def _columns(table: Block) -> str:
    """One alignment a column; those that take what width is left break their lines."""
    wide = sum(table["stretch"])
    return "".join(
        f"p{{{0.4 / wide:.2f}\\textwidth}}" if stretch else COLUMNS[align]
        for align, stretch in zip(table["align"], table["stretch"], strict=True)
    )


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + " \\\\\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
