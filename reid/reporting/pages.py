"""The report: what it says of a grid, page by page. The same runs give the same bytes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from reid.errors import InputError
from reid.reporting import appendix, evidence, ladder_page, training_pages
from reid.reporting.censored_page import censored_section
from reid.reporting.cross_domain_page import cross_domain_section
from reid.reporting.files import Place, write_files
from reid.reporting.oscillation_page import oscillation_section
from reid.reporting.rank_lists_page import rank_lists
from reid.reporting.results import Results, read_results
from reid.reporting.spaces_page import spaces_section
from reid.reporting.study import describe_study, read_study, write_study_tables
from reid.reporting.tables import write_tables
from reid.reporting.verdict_page import headline, verdict


def write_report(
    folder: Path,
    out: Path,
    formats: Sequence[str] = ("pdf", "csv"),
    rope: float | None = None,
    allow_mixed: bool = False,
) -> list[Path]:
    """Write the report of a grid, or of a study, in `formats` (of FORMATS) and return the paths written.

    `out` is a folder, for report.pdf, report.html, tables.tex, tables.md and the CSVs in tables/; or the file of one of
    the formats, beside which the others go. `rope` is half the region of practical equivalence of a grid's effects, a
    fraction. Raises InputError where the folder holds no plan or no finished run (no complete trial), or, unless
    `allow_mixed`, mixes runs of two training codes, data sets or evaluation protocols.
    """
    place = Place.of(out, formats)
    if (folder / "study.json").exists():
        if rope is not None:
            raise InputError(f"--rope {100 * rope:g}: is for effects of a grid; leave it out for the study {folder}")
        study = read_study(folder, allow_mixed)
        return write_files(place, partial(describe_study, study), partial(write_study_tables, study))
    results = read_results(folder, rope, allow_mixed)
    return write_files(place, partial(describe_results, results), partial(write_tables, results))


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
            *cross_domain_section(results, folder),
            training_pages.loss_curves(results, folder),
            *oscillation_section(results, folder),
            *spaces_section(results, folder),
            training_pages.cost(results, folder),
            *evidence.other_metrics(results),
            appendix.arms(results),
            appendix.failures(results),
            *censored_section(results),
            rank_lists(results, folder),
            appendix.runs(results),
            *appendix.cards(results),
            appendix.provenance(results),
        ],
    }
