"""What runs measured: the losses in their curves, and the numbers of their results by the names of metrics."""

from collections.abc import Iterable
from contextlib import suppress
from statistics import fmean

import pandas as pd

from reid.files import DamagedFileError
from reid.metrics.spec import METRICS, unit_of
from reid.recipe import LOSS_TITLES
from reid.store.run_folder import RunFolder
from reid.store.run_records import ResultRecord

ENDING, WEIGHTED = "_loss", "_weighted"
SUM = "total_loss"


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


def weighted_losses(runs: Iterable[pd.DataFrame]) -> list[str]:
    """The columns of the same losses times their weights."""
    return [name.removesuffix(ENDING) + WEIGHTED for name in active_losses(runs)]


def read_curves(folders: Iterable[RunFolder]) -> list[pd.DataFrame]:
    """The curves of those runs that have some, for a figure of many: one that is damaged does not prevent it."""
    found = []
    for folder in folders:
        with suppress(DamagedFileError):
            curves = folder.curves()
            if curves is not None and len(curves):
                found.append(curves)
    return found


def loss_values(curves: pd.DataFrame, column: str) -> "pd.Series[float]":
    """A loss by iteration; NaN all along where it is off."""
    return curves[column] if column in curves else pd.Series(float("nan"), curves.index)


def loss_title(column: str) -> str:
    """A loss, weighted or not, in words; one of a plugin that is not loaded by its name."""
    name = column.removesuffix(ENDING).removesuffix(WEIGHTED)
    return LOSS_TITLES.get(name, f"{name.replace('_', ' ')} loss")


def smooth(values: "pd.Series[float]", window: int) -> "pd.Series[float]":
    """Centred moving average over `window` rows, over those that are there at the ends."""
    return values.rolling(window, center=True, min_periods=1).mean()


def metric_values(result: ResultRecord, space: str) -> dict[str, float | None]:
    """Every number of a result by its metric: scores, costs, indices of the curves, mAP in each feature space
    (`mAP_before_cosine`, …), the clusters of the feature space `space`, mAP on each of several data sets (`mAP@day`, …)
    and over those that the run was not trained on (`mAP_cross`), and what plugins measured.

    None where a run has no such number; absent where it was trained before that was measured.
    """
    cost, across = result.cost, mean_across_domains(result)
    return {
        **result.scores.model_dump(),
        "train_seconds": cost.train_seconds,
        "evaluation_seconds": cost.evaluation_seconds,
        "images_per_second": cost.images_per_second,
        "peak_memory_mb": cost.peak_memory_mb,
        **result.dynamics,
        **{f"mAP_{name}": scores.mAP for name, scores in result.spaces.items()},
        **result.clusters.get(space, {}),
        **{f"mAP@{name}": scores.mAP for name, scores in result.domains.items()},
        **({} if across is None else {"mAP_cross": across}),
        **result.custom,
    }


def mean_across_domains(result: ResultRecord) -> float | None:
    """Mean mAP over the data sets that the run was not trained on; None where there is none."""
    across = [scores.mAP for scores in result.domains.values() if not scores.trained_on]
    return fmean(across) if across else None


def metric_title(metric: str) -> str:
    """A metric in words: its title where it is registered."""
    return METRICS[metric].title if metric in METRICS else metric.replace("_", " ")


def metric_head(metric: str) -> str:
    """A metric and its unit, for an axis or the head of a column."""
    symbol = unit_of(metric).symbol
    return metric_title(metric) + (f", {symbol}" if symbol else "")
