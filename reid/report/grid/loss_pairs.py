"""Loss curves of pairs of arms that differ in one factor only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reid.metrics.formatting import MISSING
from reid.report.loss_axes import draw_loss, draw_off, limit, window_of
from reid.report.style import BLUE, VERMILION
from reid.statistics.design import flipped
from reid.statistics.factor_coding import DIGITS, Term
from reid.store.measured import active_losses, loss_title, loss_values, smooth
from reid.store.plan import GridFolder

STYLES = ((VERMILION, "--"), (BLUE, "-"))  # of the first level and the second
PANELS = 3


@dataclass(frozen=True)
class Pair:
    """Curves of two runs of one seed that differ in the factor looked at only: its first level and its second."""

    arms: tuple[str, str]
    seed: int
    curves: tuple[pd.DataFrame, pd.DataFrame]


def pairs(grid: GridFolder, table: pd.DataFrame, term: Term) -> tuple[list[Pair], list[str]]:
    """Up to three pairs, at the term's level and at the first, from the other factors all off to all on; and what could
    not be read, in words.

    Runs that ended or are under way count alike: a curve that ends early shows where a training diverged.
    """
    found: list[Pair] = []
    unread: list[str] = []
    arms = sorted(
        (arm for arm in table["arm"].unique() if arm[term.factor] == "0"),
        key=lambda arm: (len(arm) - arm.count("0"), arm[::-1]),
    )
    for arm in _spread(arms):
        other = flipped(arm, term.factor, DIGITS[term.level])
        for seed in sorted(table["seed"].unique()):
            read = [_read(grid, table, name, seed, unread) for name in (arm, other)]
            if read[0] is not None and read[1] is not None:
                found.append(Pair((arm, other), seed, (read[0], read[1])))
                break
        if len(found) == PANELS:
            break
    return sorted(found, key=lambda pair: -pair.arms[0].count("0")), sorted(set(unread))


def _spread(arms: list[str]) -> list[str]:
    """First the two ends, then those nearest to the middle."""
    inner = arms[1:-1]
    inner.sort(key=lambda arm: abs(arms.index(arm) - len(arms) / 2))
    return [*dict.fromkeys([arms[0], arms[-1]]), *inner] if arms else []


def _read(grid: GridFolder, table: pd.DataFrame, arm: str, seed: int, unread: list[str]) -> pd.DataFrame | None:
    for signature in table.loc[(table["arm"] == arm) & (table["seed"] == seed), "signature"]:
        try:
            curves = grid.run(signature).curves()
        except (OSError, ValueError) as error:
            unread.append(f"{signature}: curves.parquet cannot be read ({str(error).splitlines()[0]})")
            continue
        if curves is not None and len(curves):
            return curves
    return None


def runs_of(shown: Sequence[Pair]) -> list[pd.DataFrame]:
    return [curves for pair in shown for curves in pair.curves]


def draw_pairs(
    shown: Sequence[Pair], losses: Sequence[str], titles: Sequence[str], levels: Sequence[str]
) -> Callable[[Figure], None]:
    """Small multiples: a column a pair, a row a loss, shared axes."""
    runs = runs_of(shown)
    window = window_of(runs)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(losses), len(shown), sharex=True, sharey="row", squeeze=False)
        for row, loss in zip(grid, losses, strict=True):
            row[0].set_ylabel(loss_title(loss))
            for axes, pair in zip(row, shown, strict=True):
                if loss not in active_losses(pair.curves):
                    draw_off(axes)
                for curves, level, (colour, line) in zip(pair.curves, levels, STYLES, strict=True):
                    draw_loss(axes, curves, loss, window, colour, line, level)
            limit(row[0], runs, loss)
        for axes, title in zip(grid[0], titles, strict=True):
            axes.set_title(title)
        for axes in grid[-1]:
            axes.set_xlabel("iteration")
        figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2)

    return draw


def final_losses(
    shown: Sequence[Pair], losses: Sequence[str], path: Sequence[str], levels: Sequence[str]
) -> list[list[str]]:
    """A row a pair and level: mean and standard deviation around the smoothed curve over the last tenth."""
    window = window_of(runs_of(shown))
    rows = []
    for pair, title in zip(shown, path, strict=True):
        for curves, level in zip(pair.curves, levels, strict=True):
            last = slice(-max(1, len(curves) // 10), None)
            cells = []
            for loss in losses:
                values = loss_values(curves, loss)
                rough = (values - smooth(values, window)).iloc[last]
                cells += [loss_value(values.iloc[last].mean()), loss_value(rough.std(ddof=0))]
            rows.append([title, level, str(pair.seed), f"{len(curves)}", *cells])
    return rows


def loss_value(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.3f}"
