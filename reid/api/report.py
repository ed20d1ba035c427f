"""Reports for programs."""

import logging
from collections.abc import Sequence
from pathlib import Path

from reid.report import write_report as write
from reid.store.lookup import use_recorded_plugins

LOG = logging.getLogger("reid")


def write_report(
    folder: str | Path,
    out: str | Path | None = None,
    formats: Sequence[str] = ("pdf", "csv"),
    matters: float | None = None,
) -> list[Path]:
    """Write the report of the grid or study in `folder`, there or to `out` (a folder or a file); returns the paths.

    `formats` are of pdf, html, latex, csv, markdown. `matters` is from how much on an effect on mAP matters (a
    fraction), in place of what the grid file declares. Raises InputError where there is nothing to report.
    """
    place = Path(folder)
    for line in use_recorded_plugins(place):
        LOG.warning(line)
    return write(place, Path(out) if out is not None else place, formats, matters)
