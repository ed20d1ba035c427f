"""The report of a study: what tuning gained over the paper's defaults, whether it is real, and which knob matters."""

from reid.analysis.study_table import Study, read_study
from reid.report.study.csv import write_study_tables
from reid.report.study.pages import describe_study

__all__ = ["Study", "describe_study", "read_study", "write_study_tables"]
