"""What the runs of a grid or a study say: tidy records, effects with intervals, the report. Knows folders only."""

from reid.reporting.effects import effects
from reid.reporting.files import FORMATS, chosen_formats
from reid.reporting.interactions import interactions
from reid.reporting.ladder import ladder
from reid.reporting.pages import write_report
from reid.reporting.records import read_runs
from reid.reporting.shapley import shapley

__all__ = [
    "FORMATS",
    "chosen_formats",
    "effects",
    "interactions",
    "ladder",
    "read_runs",
    "shapley",
    "write_report",
]
