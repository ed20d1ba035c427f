"""The report of a grid or a study: what it says, page by page, and how it is written.

`write_report` is imported when it is first used: a page on the runs of another trainer needs nothing of training.
"""

from typing import TYPE_CHECKING

from reid.report.write import FORMATS, chosen_formats

if TYPE_CHECKING:
    from reid.report.grid.pages import write_report

__all__ = ["FORMATS", "chosen_formats", "write_report"]


if not TYPE_CHECKING:  # to the type checker every other name is an error

    def __getattr__(name: str) -> object:
        if name != "write_report":
            raise AttributeError(f"module 'reid.report' has no attribute {name!r}")
        from reid.report.grid.pages import write_report

        return write_report
