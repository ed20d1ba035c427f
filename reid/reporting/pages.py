"""The report: what it says, and the files it is written to. The same runs give the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reid.errors import InputError
from reid.reporting import appendix, evidence, ladder_page, training_pages
from reid.reporting.html import to_html
from reid.reporting.latex import to_latex, to_markdown
from reid.reporting.oscillation_page import oscillation_section
from reid.reporting.pdf import to_pdf
from reid.reporting.rank_lists_page import rank_lists
from reid.reporting.results import Results, read_results
from reid.reporting.spaces_page import spaces_section
from reid.reporting.tables import write_tables
from reid.reporting.verdict_page import headline, verdict
from reid.run_folder import atomic

# LaTeX makes a PDF of its own beside its file, which must not be the report.
FILES = {"pdf": "report.pdf", "html": "report.html", "latex": "tables.tex", "markdown": "tables.md"}
FORMATS = (*FILES, "csv")


def write_report(
    grid_folder: Path,
    out: Path,
    formats: Sequence[str] = ("pdf", "csv"),
    rope: float | None = None,
    allow_mixed: bool = False,
) -> list[Path]:
    """Write the report of a grid in `formats` (of FORMATS) and return the paths written.

    `out` is a folder, for report.pdf, report.html, tables.tex, tables.md and the CSVs in tables/; or the file of one of
    the formats, beside which the others go. `rope` is half the region of practical equivalence, a fraction. Raises
    InputError where the grid has no plan or no finished run, or, unless `allow_mixed`, mixes runs of two training
    codes, data sets or evaluation protocols.
    """
    folder, names = _place(out, formats)
    results = read_results(grid_folder, rope, allow_mixed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with TemporaryDirectory() as name:
        content = describe_results(results, Path(name)) if set(formats) - {"csv"} else {}
        for kind in (kind for kind in FILES if kind in formats):
            paths.append(folder / names[kind])
            with atomic(paths[-1]) as temporary:
                temporary.write_bytes(_render(kind, content, Path(name)))
    return paths + (write_tables(results, folder / "tables") if "csv" in formats else [])


def chosen_formats(asked: str | None, out: Path) -> list[str]:
    """The formats of a list with commas; by default the PDF and the CSVs, or the format of the file `out` names."""
    if asked is not None:
        return [kind.strip() for kind in asked.split(",")]
    return [_kind(out) or "pdf", "csv"]


def _kind(out: Path) -> str | None:
    """The format of a file by its suffix, None for a folder."""
    return next((kind for kind, name in FILES.items() if Path(name).suffix == out.suffix), None)


def _place(out: Path, formats: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """The folder to write to, and the name of each format's file."""
    if unknown := [kind for kind in formats if kind not in FORMATS]:
        raise InputError(f"--format: known are {', '.join(FORMATS)}, found {unknown[0]!r}")
    kind = _kind(out)
    if kind is None:
        return out, FILES
    if kind not in formats:
        raise InputError(
            f"{out}: the formats asked for are {', '.join(formats)}; give a folder or a file of one of them"
        )
    return out.parent, FILES | {kind: out.name}


def _render(kind: str, content: dict[str, Any], folder: Path) -> bytes:
    if kind == "pdf":
        return to_pdf(content, folder)
    texts = {"html": lambda: to_html(content, folder), "latex": lambda: to_latex(content)}
    return texts.get(kind, lambda: to_markdown(content))().encode()


def describe_results(results: Results, folder: Path) -> dict[str, Any]:
    """What the report says, in blocks; its figures and images are written to `folder`."""
    plan = results.plan.content
    return {
        "title": plan.get("title") or plan["name"],
        "name": plan["name"],
        "question": plan.get("question") or "",
        "created": plan.get("created") or "1970-01-01T00:00:00+00:00",
        "headline": headline(results),
        "verdict": verdict(results, folder),
        "sections": [
            *ladder_page.ladder(results, folder),
            evidence.effects(results, folder),
            *evidence.interactions(results, folder),
            *ladder_page.published(results),
            training_pages.loss_curves(results, folder),
            *oscillation_section(results, folder),
            *spaces_section(results, folder),
            training_pages.cost(results, folder),
            *evidence.other_metrics(results),
            appendix.arms(results),
            appendix.failures(results),
            rank_lists(results, folder),
            appendix.runs(results),
            *appendix.cards(results),
            appendix.provenance(results),
        ],
    }
