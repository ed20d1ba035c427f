"""The report: what it says of a grid, page by page. The same runs give the same bytes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from reid.analysis.results import Results, read_results
from reid.errors import InputError
from reid.report.document import document, mixture_alerts
from reid.report.elements import Document
from reid.report.grid import appendix
from reid.report.grid import effects as evidence
from reid.report.grid import ladder as ladder_page
from reid.report.grid import training as training_pages
from reid.report.grid.budget_cuts import censored_section, censored_warning
from reid.report.grid.cross_domain import cross_domain_section
from reid.report.grid.csv import write_tables
from reid.report.grid.feature_spaces import MEASURES, spaces_section
from reid.report.grid.first_page.cautions import cautions
from reid.report.grid.first_page.verdict import headline, verdict
from reid.report.grid.interactions import interactions
from reid.report.grid.looks import looks_section
from reid.report.grid.oscillation import INDICES, oscillation_section
from reid.report.grid.rank_lists import rank_lists
from reid.report.study import describe_study, read_study, write_study_tables
from reid.report.write import Place, write_files


def write_report(
    folder: Path,
    out: Path,
    formats: Sequence[str] = ("pdf", "csv"),
    matters: float | None = None,
    allow_mixed: bool = False,
) -> list[Path]:
    """Write the report of a grid, or of a study, in `formats` (of FORMATS) and return the paths written.

    `out` is a folder, for report.pdf, report.html, tables.tex, tables.md and the CSVs in tables/; or the file of one of
    the formats, beside which the others go. `matters` is from how much on an effect on mAP matters, a
    fraction. Raises InputError where the folder holds no plan or no finished run (no complete trial), or, unless
    `allow_mixed`, mixes runs of two training codes, data sets or evaluation protocols.
    """
    place = Place.of(out, formats)
    if (folder / "study.json").exists():
        if matters is not None:
            raise InputError(
                f"--matters {100 * matters:g}: is for effects of a grid; leave it out for the study {folder}"
            )
        study = read_study(folder, allow_mixed)
        return write_files(place, partial(describe_study, study), partial(write_study_tables, study))
    results = read_results(folder, matters, allow_mixed)
    return write_files(place, partial(describe_results, results), partial(write_tables, results))


def describe_results(results: Results, folder: Path) -> Document:
    """What the report says; its figures and images are written to `folder`."""
    return document(
        results.plan,
        headline(results),
        [
            *mixture_alerts(results.mixed),
            *censored_warning(results),
            *training_pages.learning_warning(results),
            *cautions(results),
            *verdict(results, folder),
        ],
        [
            *looks_section(results, folder),
            *ladder_page.ladder(results, folder),
            evidence.effects(results, folder),
            *interactions(results, folder),
            *ladder_page.published(results),
            *cross_domain_section(results, folder),
            training_pages.loss_curves(results, folder),
            *oscillation_section(results, folder),
            *spaces_section(results, folder),
            training_pages.cost(results, folder),
            *evidence.other_metrics(results, shown=(*INDICES, *MEASURES)),
            appendix.arms(results),
            appendix.failures(results),
            *censored_section(results),
            rank_lists(results, folder),
            appendix.runs(results),
            *appendix.cards(results),
            appendix.provenance(results),
        ],
    )
