"""The report's figures: vector SVG in one style, colours that the colour-blind and a grey printer can tell apart."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from reid.analysis.runs_table import each_row
from reid.metrics.formatting import signed
from reid.shown import printable
from reid.statistics.least_squares import Array

# Okabe and Ito 2008.
BLACK, BLUE, VERMILION, ORANGE, SKY, GREY = "#000000", "#0072B2", "#D55E00", "#E69F00", "#56B4E9", "#8A8A8A"
Style = dict[str, Any]  # keyword arguments of a drawing call
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.fontsize": 6.5,
    "svg.fonttype": "none",
    "text.parse_math": False,  # names may have a $
    "svg.hashsalt": "reid",
}
DIVERGING = LinearSegmentedColormap.from_list("blue to vermilion", [BLUE, "#FFFFFF", VERMILION])
WIDTH = 6.9  # inches: the text width of an A4 page


def save(path: Path, height: float, draw: Callable[[Figure], None]) -> str:
    """A figure of the page's width drawn by `draw`, written to `path`; returns the file's name."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.04))
        FigureCanvasSVG(figure)
        draw(figure)
        drawn = StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text(printable(drawn.getvalue()), encoding="utf-8")
    return path.name


@cache
def _known() -> frozenset[int]:
    """Code points that the font of figures and pages has."""
    return frozenset(FT2Font(str(FONTS / "DejaVuSans.ttf")).get_charmap())


def drawable(text: str) -> str:
    """Text with a character that the font has not as its code point: it would be drawn as an empty box."""
    known = _known()
    return "".join(c if ord(c) in known or c in "\n\t" else f"\\u{ord(c):04x}" for c in printable(text))


def _rows(axes: Axes, names: Sequence[str]) -> Array:
    """A horizontal line a name, the first on top."""
    axes.set_yticks(np.arange(len(names)), [drawable(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    return np.arange(len(names), dtype=float)


def _bars(axes: Axes, y: Array, frame: pd.DataFrame, columns: Sequence[str], scale: float = 100, **style: Any) -> None:
    """Points with intervals, fractions in percentage points; rows that are NaN stay empty.

    A point may lie beside its interval: one that holds over several looks is that of the looks before too.
    """
    middle, low, high = (scale * frame[name].to_numpy(dtype=float) for name in columns)
    spread = np.nan_to_num(np.vstack([middle - low, high - middle])).clip(0)
    axes.errorbar(middle, y, xerr=spread, linestyle="none", elinewidth=1.1, capsize=0, markersize=4, **style)


def forest(
    effects: pd.DataFrame,
    matters: float | None,
    axis: str = "effect on mAP, percentage points",
    scale: float = 100,
    unit: str = " points",
) -> Callable[[Figure], None]:
    """Effects with intervals, over the region that was declared not to matter, if one was; `scale` times the numbers
    of the table are drawn.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        if matters is not None:
            label = f"does not matter: less than {scale * matters:g}{unit}"
            axes.axvspan(-scale * matters, scale * matters, color="#EDEDED", zorder=0, label=label)
            figure.legend(loc="outside upper right")
        axes.axvline(0, color=BLACK, linewidth=0.6)
        places = _rows(axes, list(effects.index))
        _bars(axes, places, effects, ("effect", "low", "high"), scale=scale, color=BLUE, marker="o")
        axes.set_xlabel(drawable(axis))

    return draw


SERIES = {
    "main": ("main effect: averaged over all arms", BLUE, "o"),
    "Shapley": ("Shapley value: averaged over all orders", SKY, "D"),
    "alone": ("alone: added to none", ORANGE, "^"),
    "away": ("taken away: lost from all", VERMILION, "s"),
    "step": ("step: added to those before it", BLUE, "o"),
    "home": ("on the set that was trained on", BLUE, "o"),
    "across": ("on other sets", VERMILION, "s"),
}


def contrasts(series: Sequence[tuple[str, pd.DataFrame, Sequence[str]]]) -> Callable[[Figure], None]:
    """Answers to "what does it bring", side by side: key of SERIES, frame, its columns of value, low and high."""
    offsets = (np.arange(len(series)) - (len(series) - 1) / 2) * 0.18

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=BLACK, linewidth=0.6)
        places = _rows(axes, list(series[0][1].index))
        for offset, (key, frame, columns) in zip(offsets, series, strict=True):
            label, colour, marker = SERIES[key]
            _bars(axes, places + offset, frame, columns, color=colour, marker=marker, label=label)
        axes.set_xlabel("mAP, percentage points")
        figure.legend(loc="outside upper center", ncols=2)

    return draw


def interaction_map(
    interactions: pd.DataFrame, titles: Mapping[str, str], shorts: Mapping[str, str]
) -> Callable[[Figure], None]:
    """A square a pair, coloured by its interaction; a box around those that hold after Holm's correction."""
    names = list(titles)
    columns, rows = (
        [name for name in names if name in set(column)] for column in zip(*interactions.index, strict=True)
    )
    matrix = np.full((len(rows), len(columns)), np.nan)
    sure = []
    for (first, second), row in each_row(interactions):
        place = rows.index(second), columns.index(first)
        matrix[place] = row["effect"]
        sure += [place] if row["q"] < 0.05 else []
    limit = max(np.abs(matrix[~np.isnan(matrix)]), default=0) or 1.0

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.pcolormesh(np.ma.masked_invalid(matrix), cmap=DIVERGING, vmin=-limit, vmax=limit, edgecolor="white")
        axes.invert_yaxis()
        axes.set_xticks(np.arange(len(columns)) + 0.5, [shorts[name] for name in columns])
        axes.set_yticks(np.arange(len(rows)) + 0.5, [f"{titles[name]} ({shorts[name]})" for name in rows])
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
        for i, j in np.argwhere(~np.isnan(matrix)):
            colour = "white" if abs(matrix[i, j]) > 0.7 * limit else BLACK
            axes.text(j + 0.5, i + 0.5, signed("mAP", matrix[i, j]), ha="center", va="center", color=colour)
        for i, j in sure:
            axes.add_patch(Rectangle((j + 0.03, i + 0.03), 0.94, 0.94, fill=False, linewidth=1.3))

    return draw


def ladder(rungs: pd.DataFrame, published: pd.DataFrame | None, shorts: Sequence[str]) -> Callable[[Figure], None]:
    """The ladder in its order within the band of all orders, beside the published ones if there are any."""
    x = np.arange(len(rungs))
    ticks = ["none", *(f"+{short}" for short in shorts)]

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, 1 if published is None else 2, squeeze=False)[0]
        ours = panels[0]
        reached = rungs["band_low"].notna()
        low, high = 100 * rungs["band_low"][reached], 100 * rungs["band_high"][reached]
        if reached.any():
            ours.fill_between(x[reached], low, high, color="#D9E8F3", label="range over all orders")
        label = "this order" if published is None else "the paper's order"
        ours.plot(x, 100 * rungs["mean"], color=BLUE, marker="o", markersize=4, linewidth=1.4, label=label)
        ours.set_title("this grid")
        if published is not None:
            _published_ladders(panels[1], published)
        for axes in panels:
            axes.set_xticks(x, ticks)
            axes.set_ylabel("mAP, %")
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=2)

    return draw


def _published_ladders(axes: Axes, published: pd.DataFrame) -> None:
    styles = [("market1501", "Market-1501", BLACK, "o", "-"), ("dukemtmc", "DukeMTMC-reID", VERMILION, "s", "--")]
    for key, label, colour, marker, line in styles:
        values = published[f"{key}_mAP"].to_numpy()
        style: Style = {"color": colour, "marker": marker, "linestyle": line, "label": label}
        axes.plot(np.arange(len(values)), values, markersize=4, linewidth=1.4, **style)
    axes.set_title("published, ResNet-50, one run a rung")


def cost(arms: pd.DataFrame, marked: dict[str, int]) -> Callable[[Figure], None]:
    """Training seconds against mAP, a point an arm, with the arms that no other beats on both; `marked` are named."""
    seconds, quality = arms["train_seconds"].to_numpy(dtype=float), 100 * arms["mAP"].to_numpy(dtype=float)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.scatter(seconds, quality, s=14, facecolor="white", edgecolor=GREY, linewidth=0.9, label="an arm")
        front = _unbeaten(seconds, quality)
        label = "no arm is both faster and better"
        axes.plot(seconds[front], quality[front], color=BLUE, marker="o", markersize=4, linewidth=1, label=label)
        styles = zip(marked.items(), (ORANGE, SKY, VERMILION), "^sD", strict=False)
        for (label, i), colour, marker in styles:
            if np.isfinite(seconds[i]):
                style: Style = {
                    "color": colour,
                    "marker": marker,
                    "edgecolor": BLACK,
                    "linewidth": 0.5,
                    "zorder": 3,
                }
                axes.scatter(seconds[i], quality[i], s=44, label=label, **style)
        axes.set_xlabel("training time of a run, seconds")
        axes.set_ylabel("mAP, %")
        figure.legend(loc="outside right upper")

    return draw


def _unbeaten(seconds: Array, quality: Array) -> list[int]:
    """Arms, fastest first, that no other beats on both; arms without numbers left out."""
    front: list[int] = []
    for i in np.lexsort((-quality, seconds)):
        if np.isfinite(seconds[i]) and np.isfinite(quality[i]) and (not front or quality[i] > quality[front[-1]]):
            front.append(int(i))
    return front
