"""Loss curves of several arms over all their seeds, on the same axes, and the arms that are worth showing."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, product

import pandas as pd
from matplotlib.figure import Figure

from reid.analysis.results import Results
from reid.report.loss_axes import COLOURS, draw_loss, draw_off, limit, window_of
from reid.store.measured import active_losses, loss_title, read_curves

SHOWN = ("bnneck", "center_loss")  # the tricks that give the losses spaces of their own
MOST_ARMS = 6


def arms_shown(results: Results) -> dict[str, str]:
    """At most six arms with titles, that differ in how losses share a feature.

    Of a list of arms, the list; of a design with BNNeck or centre loss, their combinations with all else off. Empty for
    another design.
    """
    if is_list(results):
        levels = {arm.arm: next(iter(arm.levels.values())) for arm in results.plan.arms}
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
    return len(factors) == 1 and not factors[0].is_switch


def curves_of(results: Results, arms: Mapping[str, str]) -> dict[str, list[pd.DataFrame]]:
    """Curves of every run of each arm that has some, by the arm's title, in the order of seeds; ended or not."""
    found: dict[str, list[pd.DataFrame]] = {}
    for arm, title in arms.items():
        runs = results.runs[(results.runs["arm"] == arm) & (results.runs["state"] != "unreadable")]
        kept = read_curves([results.grid.run(signature) for signature in runs.sort_values("seed")["signature"]])
        if kept:
            found[title] = kept
    return found


def draw_losses(rows: Mapping[str, Sequence[pd.DataFrame]]) -> Callable[[Figure], None]:
    """A row an arm, a column a loss, the same axes down a column; a line a seed, smoothed over faint raw values."""
    runs = [curves for row in rows.values() for curves in row]
    losses, window = active_losses(runs), window_of(runs)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(rows), len(losses), sharex=True, sharey="col", squeeze=False)
        for panels, (title, row) in zip(grid, rows.items(), strict=True):
            panels[0].set_title(title)
            for axes, loss, colour in zip(panels, losses, cycle(COLOURS)):
                axes.set_ylabel(loss_title(loss))
                if loss not in active_losses(row):
                    draw_off(axes)
                for curves in row:
                    draw_loss(axes, curves, loss, window, colour, "-", title)
        for axes, loss in zip(grid[0], losses, strict=True):
            limit(axes, runs, loss)
        for axes in grid[-1]:
            axes.set_xlabel("iteration")

    return draw
