"""Runs of any trainer, a row a run: how other programs write their tables, and what is read in them."""

from reid.analysis.any_trainer.asked import METRIC, Asked
from reid.analysis.any_trainer.csv_file import read_csv_file
from reid.analysis.any_trainer.runs import AnyRuns, read_any_runs
from reid.analysis.any_trainer.sheet import Sheet, clean, names_in

__all__ = ["METRIC", "AnyRuns", "Asked", "Sheet", "clean", "names_in", "read_any_runs", "read_csv_file"]
