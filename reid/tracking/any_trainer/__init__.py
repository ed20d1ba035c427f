"""Runs that another trainer logged to MLflow."""

from reid.tracking.any_trainer.experiment import experiment_sheet

__all__ = ["experiment_sheet"]
