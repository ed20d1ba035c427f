"""What the runs of a grid say: tidy records, effects with intervals, and the report. Knows run folders only."""

from reid.reporting.effects import effects
from reid.reporting.interactions import interactions
from reid.reporting.ladder import ladder
from reid.reporting.pages import chosen_formats, write_report
from reid.reporting.records import read_runs
from reid.reporting.shapley import shapley

__all__ = ["chosen_formats", "effects", "interactions", "ladder", "read_runs", "shapley", "write_report"]
