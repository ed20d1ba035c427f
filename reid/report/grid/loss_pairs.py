"""Loss curves of pairs of arms that differ in one factor only."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reid.analysis.runs_table import Plan
from reid.metrics.formatting import MISSING
from reid.report.style import BLUE, VERMILION
from reid.statistics.design import flipped
from reid.statistics.factor_coding import DIGITS, Term

LOSSES = {"id_loss": "ID loss", "triplet_loss": "triplet loss"}
POINTS = 300
PANELS = 3


@dataclass(frozen=True)
class Pair:
    """Curves of two runs of one seed that differ in the factor looked at only: its first level and its second."""

    arms: tuple[str, str]
    seed: int
    curves: tuple[pd.DataFrame, pd.DataFrame]


def pairs(plan: Plan, table: pd.DataFrame, term: Term) -> tuple[list[Pair], list[str]]:
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
            read = [_read(plan, table, name, seed, unread) for name in (arm, other)]
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


def _read(plan: Plan, table: pd.DataFrame, arm: str, seed: int, unread: list[str]) -> pd.DataFrame | None:
    for signature in table.loc[(table["arm"] == arm) & (table["seed"] == seed), "signature"]:
        try:
            curves = plan.run_folder(signature).curves()
        except (OSError, ValueError) as error:
            unread.append(f"{signature}: curves.parquet cannot be read ({str(error).splitlines()[0]})")
            continue
        if curves is not None and len(curves):
            return curves
    return None


def smooth(values: "pd.Series[float]", window: int) -> "pd.Series[float]":
    """Centred moving average over `window` iterations."""
    return values.rolling(window, center=True, min_periods=1).mean()


def window(shown: list[Pair]) -> int:
    """A fiftieth of the longest curve."""
    return max(1, max(len(curves) for pair in shown for curves in pair.curves) // 50)


def draw_pairs(shown: list[Pair], titles: list[str], levels: list[str]) -> Callable[[Figure], None]:
    """Small multiples: a column a pair, a row a loss, shared axes; raw faint, smoothed bold, thinned to ~300 points."""

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(LOSSES), len(shown), sharex=True, sharey="row", squeeze=False)
        for row, (loss, label) in zip(grid, LOSSES.items(), strict=True):
            row[0].set_ylabel(label)
            for axes, pair in zip(row, shown, strict=True):
                for curves, level, colour, line in zip(
                    pair.curves, levels, (VERMILION, BLUE), ("--", "-"), strict=True
                ):
                    every = slice(None, None, max(1, len(curves) // POINTS))
                    x, raw, bold = curves["iteration"], curves[loss], smooth(curves[loss], window(shown))
                    axes.plot(x[every], raw[every], color=colour, linewidth=0.5, alpha=0.28)
                    axes.plot(x[every], bold[every], color=colour, linestyle=line, linewidth=1.4, label=level)
            row[0].set_ylim(0, _ceiling(shown, loss))
            row[0].set_xlim(0, max(len(curves) for pair in shown for curves in pair.curves))
        for axes, title in zip(grid[0], titles, strict=True):
            axes.set_title(title)
        for axes in grid[-1]:
            axes.set_xlabel("iteration")
        figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2)

    return draw


def _ceiling(shown: list[Pair], loss: str) -> float:
    """Top of the axis: spikes above it are cut so that they do not flatten everything else."""
    values = np.concatenate([curves[loss].to_numpy(dtype=float) for pair in shown for curves in pair.curves])
    values = values[np.isfinite(values)]
    return 1.1 * float(np.quantile(values, 0.995)) or 1.0 if len(values) else 1.0


def final_losses(shown: list[Pair], path: list[str], levels: list[str]) -> list[list[str]]:
    """A row a pair and level: mean and standard deviation around the smoothed curve over the last tenth."""
    rows = []
    for pair, title in zip(shown, path, strict=True):
        for curves, level in zip(pair.curves, levels, strict=True):
            cells = []
            for loss in LOSSES:
                tail = slice(-max(1, len(curves) // 10), None)
                rough = (curves[loss] - smooth(curves[loss], window(shown))).iloc[tail]
                cells += [loss_value(curves[loss].iloc[tail].mean()), loss_value(rough.std(ddof=0))]
            rows.append([title, level, str(pair.seed), f"{len(curves)}", *cells])
    return rows


def loss_value(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.3f}"
