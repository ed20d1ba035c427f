"""Loss curves in a terminal: sparklines and indices of one run after another, and their figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from reid.errors import InputError
from reid.report import style
from reid.report.loss_panels import draw_losses
from reid.store.measured import active_losses, loss_title
from reid.store.run_folder import RunFolder

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60


def sparkline(values: ArrayLike, width: int = WIDTH) -> str:
    """A curve (T,), T > 0, as at most `width` blocks from its smallest to its largest bin mean; "×" has no number."""
    curve = np.asarray(values, float)
    bins = [part[np.isfinite(part)] for part in np.array_split(curve, min(width, len(curve)))]
    means = np.array([part.mean() if len(part) else np.nan for part in bins])
    if np.isnan(means).all():
        return "×" * len(means)
    low, high = np.nanmin(means), np.nanmax(means)
    scaled = (means - low) / (high - low) if high > low else np.zeros_like(means)
    return "".join("×" if np.isnan(value) else BLOCKS[min(int(8 * value), 7)] for value in scaled)


def describe_run(folder: RunFolder, indices: Mapping[str, float]) -> list[str]:
    """A run in lines: what it is, a sparkline a loss with its first and last value, and `indices` of its dynamics."""
    curves, run, state = _curves(folder), folder.require_run(), folder.read_state().state
    lines = [f"{folder.signature}  seed {run.seed}  {state}  {len(curves)} iterations"]
    for loss in active_losses([curves]):
        ends = f"{curves[loss].iloc[0]:.3f} → {curves[loss].iloc[-1]:.3f}"
        lines.append(f"  {loss_title(loss):<13}{sparkline(curves[loss])}  {ends}")
    known = [f"{name} {value:.3f}" for name, value in indices.items() if np.isfinite(value)]
    return [*lines, *(f"  {'  '.join(known[i : i + 4])}" for i in range(0, len(known), 4))]


def draw_runs(folders: Sequence[RunFolder], out: Path) -> None:
    """The losses of runs as SVG, a row a run on the same axes."""
    rows = {f"{folder.signature[:8]} seed {folder.require_run().seed}": [_curves(folder)] for folder in folders}
    style.save(out, 0.5 + 1.4 * len(rows), draw_losses(rows))


def _curves(folder: RunFolder) -> pd.DataFrame:
    curves = folder.curves()
    if curves is None or not len(curves):
        raise InputError(f"run {folder.signature}: it has no curves yet ({folder.read_state().state}); train it first")
    return curves
