"""The report of a grid or a study: what it says, page by page, and how it is written."""

from reid.report.grid.pages import write_report
from reid.report.write import FORMATS, chosen_formats

__all__ = ["FORMATS", "chosen_formats", "write_report"]
