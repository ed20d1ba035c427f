"""The report: a PDF from the results of a grid, and their tables as CSV. The same runs give the same bytes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import typst
from matplotlib.ft2font import FT2Font

from reid.reporting import appendix, evidence, training_pages
from reid.reporting.assets import asset
from reid.reporting.figures import FONTS
from reid.reporting.results import Results, read_results
from reid.reporting.tables import write_tables
from reid.reporting.verdict_page import headline, verdict
from reid.run_folder import atomic


def write_report(grid_folder: Path, out: Path) -> list[Path]:
    """Write the PDF `out` and its CSV tables in the folder "tables" beside it; returns the paths written.

    Raises InputError where the grid has no plan or no finished run, or mixes runs of two codes or data sets.
    """
    results = read_results(grid_folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with _workplace() as folder:
        content = json.dumps(_printable(_content(results, folder)), ensure_ascii=False)
        (folder / "data.json").write_text(content, encoding="utf-8")
        pdf = typst.compile(
            folder / "template.typ",
            root=folder,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            timestamp=_created(results),
            format="pdf",
        )
    with atomic(out) as temporary:
        temporary.write_bytes(pdf)
    return [out, *write_tables(results, out.parent / "tables")]


@contextmanager
def _workplace() -> Iterator[Path]:
    """A temporary folder with the template in it."""
    with TemporaryDirectory() as name:
        copyfile(asset("template.typ"), Path(name) / "template.typ")
        yield Path(name)


def _content(results: Results, folder: Path) -> dict[str, Any]:
    """What the template sets; figures are written to `folder`."""
    plan = results.plan.content
    return {
        "title": plan.get("title") or plan["name"],
        "name": plan["name"],
        "question": plan.get("question") or "",
        "headline": headline(results),
        "verdict": verdict(results, folder),
        "sections": [
            *evidence.ladder(results, folder),
            evidence.effects(results, folder),
            *evidence.interactions(results, folder),
            training_pages.loss_curves(results, folder),
            training_pages.cost(results, folder),
            appendix.arms(results),
            appendix.runs(results),
            *appendix.cards(results),
            appendix.provenance(results),
        ],
    }


def _created(results: Results) -> int:
    """The plan's time, seconds since 1970: a report's date does not depend on when it is made."""
    created = results.plan.content.get("created")
    return int((datetime.fromisoformat(created) if created else datetime.fromtimestamp(0, UTC)).timestamp())


def _printable(value: Any) -> Any:
    """`value` with every character that the fonts lack written as its code point: it would be set as an empty box."""
    known = FT2Font(str(FONTS / "DejaVuSans.ttf")).get_charmap()

    def spell(item: Any) -> Any:
        if isinstance(item, str):
            return "".join(c if ord(c) in known or c in "\n\t" else f"\\u{ord(c):04x}" for c in item)
        if isinstance(item, dict):
            return {key: spell(entry) for key, entry in item.items()}
        return [spell(entry) for entry in item] if isinstance(item, list) else item

    return spell(value)
