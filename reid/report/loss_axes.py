"""A loss over iterations, drawn in the same way wherever it is shown."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reid.report.style import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION
from reid.store.measured import loss_values, smooth

COLOURS = (BLUE, VERMILION, ORANGE, SKY, BLACK, GREY)
POINTS = 300


def draw_loss(axes: Axes, curves: pd.DataFrame, loss: str, window: int, colour: str, line: str, label: str) -> None:
    """One run: raw values faint under their moving average, thinned to about 300 points."""
    every = slice(None, None, max(1, len(curves) // POINTS))
    x, raw = curves["iteration"], loss_values(curves, loss)
    bold = smooth(raw, window)
    axes.plot(x[every], raw[every], color=colour, linewidth=0.45, alpha=0.26)
    axes.plot(x[every], bold[every], color=colour, linestyle=line, linewidth=1.3, label=label)


def draw_off(axes: Axes) -> None:
    """A panel of runs in which the loss is off."""
    axes.text(0.5, 0.5, "off", transform=axes.transAxes, ha="center", color=GREY)


def longest(runs: Sequence[pd.DataFrame]) -> int:
    return max(map(len, runs))


def window_of(runs: Sequence[pd.DataFrame]) -> int:
    """The width of the moving average: a fiftieth of the longest run."""
    return max(1, longest(runs) // 50)


def limit(axes: Axes, runs: Sequence[pd.DataFrame], loss: str) -> None:
    """Axes that hold the loss of every run, cut at its 99.5 % quantile: spikes must not flatten everything else."""
    values = np.concatenate([loss_values(run, loss).to_numpy(dtype=float) for run in runs])
    values = values[np.isfinite(values)]
    axes.set_ylim(0, 1.1 * float(np.quantile(values, 0.995)) or 1.0 if len(values) else 1.0)
    axes.set_xlim(0, longest(runs))
