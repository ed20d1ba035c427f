"""The report's tables in LaTeX (booktabs), as a document that compiles as it is."""

from collections.abc import Iterator

from reid.report.elements import Document, Section, Table

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
SPECIAL |= {character: f"{{{character}}}" for character in "[]*"}  # which an end of a row before them would take
SYMBOLS = {
    "−": "$-$", "–": "--", "—": "---", "→": r"$\rightarrow$", "×": r"$\times$", "±": r"$\pm$", "●": r"$\bullet$",
    "○": r"$\circ$", "≤": r"$\leq$", "≥": r"$\geq$", "·": r"$\cdot$", "∑": r"$\sum$", "ε": r"$\varepsilon$",
    "\u202f": r"\,", "…": r"\ldots{}", "“": "``", "”": "''", "’": "'", "\n": " ", "\t": " ", "\u00a0": "~",
}  # fmt: skip
COLUMNS = {"left": "l", "right": "r", "center": "c"}


def to_latex(document: Document) -> str:
    """All tables of the report as a LaTeX document: a longtable each, to be taken out or compiled whole."""
    parts = [
        f"% {latex(title)}\n\\begin{{longtable}}{{{_columns(table)}}}\n"
        + f"\\caption{{{latex(table.caption or title)}}}\\\\\n\\toprule\n"
        + _row([f"\\textbf{{{latex(column.title)}}}" for column in table.columns])
        + "\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n"
        + "".join(_row([latex(cell) for cell in row]) for row in table.rows)
        + "\\end{longtable}\n"
        for title, table in tables(document)
    ]
    return PREAMBLE + "\n".join(parts) + "\\end{document}\n"


def tables(document: Document) -> Iterator[tuple[str, Table]]:
    """Every table with rows, with the title of its section."""
    for section in (Section("Verdict", document.verdict), *document.sections):
        for element in section.elements:
            if isinstance(element, Table) and element.rows:
                yield section.title, element


def latex(text: str) -> str:
    """Plain text for LaTeX; a character that its standard fonts lack as its code point."""
    return "".join(SPECIAL.get(c) or SYMBOLS.get(c) or (c if _has_font(c) else f"U+{ord(c):04X}") for c in text)


def _has_font(character: str) -> bool:
    return ord(character) < 0x180 and character.isprintable()


def _columns(table: Table) -> str:
    """One alignment a column; those that take what width is left break their lines."""
    stretched = sum(column.stretch for column in table.columns)
    return "".join(
        f"p{{{0.4 / stretched:.2f}\\textwidth}}" if column.stretch else COLUMNS[column.align]
        for column in table.columns
    )


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + " \\\\\n"
