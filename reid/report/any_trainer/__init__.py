"""The verdict on anyone's runs as a page with its figure."""

from reid.report.any_trainer.page import chosen, write_verdict

__all__ = ["chosen", "write_verdict"]
