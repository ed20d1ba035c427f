"""Loss curves of several arms over all their seeds, on the same axes, and the arms that are worth showing."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reid.analysis.results import Results
from reid.analysis.runs_table import SWITCH
from reid.report.style import BLUE, VERMILION

LOSSES = {"id_loss": ("ID loss", BLUE), "triplet_loss": ("triplet loss", VERMILION)}
SHOWN = ("bnneck", "center_loss")  # the tricks that give the losses spaces of their own
MOST_ARMS = 6
POINTS = 300


def arms_shown(results: Results) -> dict[str, str]:
    """At most six arms with titles, that differ in how losses share a feature.

    Of a list of arms, the list; of a design with BNNeck or centre loss, their combinations with all else off. Empty for
    another design.
    """
    if is_list(results):
        levels = {str(arm["arm"]): str(next(iter(arm["levels"].values()))) for arm in results.plan.content["arms"]}
        return dict(list(levels.items())[:MOST_ARMS])
    names = [name for name in SHOWN if name in results.names]
    planned = set(results.runs["arm"])
    shown = {}
    for bits in product("01", repeat=len(names)):
        on = dict(zip(names, bits, strict=True))
        arm = "".join(on.get(name, "0") for name in results.names)
        titles = [results.titles[name] for name, bit in on.items() if bit == "1"]
        if names and arm in planned:
            shown[arm] = " and ".join(titles) or f"no {' and no '.join(results.titles[name] for name in names)}"
    return shown


def is_list(results: Results) -> bool:
    """Whether the grid is a list of arms, or the levels of one field: the levels are the arms."""
    factors = results.plan.factors
    return len(factors) == 1 and factors[0]["levels"] != SWITCH


def curves_of(results: Results, arms: Mapping[str, str]) -> dict[str, list[pd.DataFrame]]:
    """Curves of every run of each arm that has some, by the arm's title, in the order of seeds; ended or not."""
    found: dict[str, list[pd.DataFrame]] = {}
    for arm, title in arms.items():
        runs = results.runs[(results.runs["arm"] == arm) & (results.runs["state"] != "unreadable")]
        read = [results.plan.run_folder(signature).curves() for signature in runs.sort_values("seed")["signature"]]
        kept = [curves for curves in read if curves is not None and len(curves)]
        if kept:
            found[title] = kept
    return found


def draw_losses(rows: Mapping[str, Sequence[pd.DataFrame]]) -> Callable[[Figure], None]:
    """A row an arm, a column a loss, the same axes down a column; a line a seed, smoothed over faint raw values."""
    longest = max(len(curves) for row in rows.values() for curves in row)
    every = [curves for row in rows.values() for curves in row]

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(rows), len(LOSSES), sharex=True, sharey="col", squeeze=False)
        for panels, (title, row) in zip(grid, rows.items(), strict=True):
            for axes, (loss, (label, colour)) in zip(panels, LOSSES.items(), strict=True):
                axes.set_title(f"{title}: {label}")
                _lines(axes, row, loss, colour, max(1, longest // 50))
        for axes, loss in zip(grid[0], LOSSES, strict=True):
            axes.set_ylim(0, _ceiling(every, loss))
            axes.set_xlim(0, longest)
        for axes in grid[-1]:
            axes.set_xlabel("iteration")

    return draw


def _lines(axes: Axes, row: Sequence[pd.DataFrame], loss: str, colour: str, window: int) -> None:
    for curves in row:
        step = slice(None, None, max(1, len(curves) // POINTS))
        x, raw = curves["iteration"], curves[loss]
        if raw.isna().all():
            axes.text(0.5, 0.5, "off", transform=axes.transAxes, ha="center", color="#8A8A8A")
            return
        smoothed = raw.rolling(window, center=True, min_periods=1).mean()
        axes.plot(x[step], raw[step], color=colour, linewidth=0.4, alpha=0.25)
        axes.plot(x[step], smoothed[step], color=colour, linewidth=1.2, alpha=0.9)


def _ceiling(curves: Sequence[pd.DataFrame], loss: str) -> float:
    """Top of the axis: spikes above it are cut so that they do not flatten everything else."""
    values = np.concatenate([run[loss].to_numpy(dtype=float) for run in curves])
    values = values[np.isfinite(values)]
    return 1.1 * float(np.quantile(values, 0.995)) or 1.0 if len(values) else 1.0
