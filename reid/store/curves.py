"""What the curves of a run hold: which losses, and their course without its noise."""

from collections.abc import Iterable

import pandas as pd

ENDING = "_loss"
SUM = "total_loss"
TITLES = {"id_loss": "ID loss", "center_loss": "centre loss"}


def active_losses(runs: Iterable[pd.DataFrame]) -> list[str]:
    """The columns of the losses that are on in any of the runs, in the order of the columns; without their sum.

    A loss that is off is NaN all along, or has no column. Every loss counts where all runs diverged at once.
    """
    columns: dict[str, bool] = {}
    for curves in runs:
        for name in curves.columns:
            if name.endswith(ENDING) and name != SUM:
                columns[name] = columns.get(name, False) or bool(curves[name].notna().any())
    return [name for name, active in columns.items() if active] or list(columns)


def loss_values(curves: pd.DataFrame, column: str) -> "pd.Series[float]":
    """A loss by iteration; NaN all along where it is off."""
    return curves[column] if column in curves else pd.Series(float("nan"), curves.index)


def loss_title(column: str) -> str:
    """A loss in words."""
    return TITLES.get(column, column.replace("_", " "))


def smooth(values: "pd.Series[float]", window: int) -> "pd.Series[float]":
    """Centred moving average over `window` rows, over those that are there at the ends."""
    return values.rolling(window, center=True, min_periods=1).mean()
