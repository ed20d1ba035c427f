"""The report of a study: what tuning gained over the paper's defaults, whether it is real, and which knob matters."""

from reid.reporting.study.pages import describe_study
from reid.reporting.study.records import Study, read_study
from reid.reporting.study.tables import write_study_tables

__all__ = ["Study", "describe_study", "read_study", "write_study_tables"]
