"""Figures of the space searched: parallel coordinates, slices by knob, and maps of pairs of knobs."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reid.analysis.study_table import Study
from reid.report.study.knob_axis import KnobAxis, knob_axes
from reid.report.style import BLACK, BLUE, ORANGE, VERMILION, Style
from reid.statistics.least_squares import Array
from reid.store.study import KnobValue

Draw = Callable[[Figure], None]
COLOURS = "cividis"  # even in lightness, so that it can be read in grey
CELLS = 24  # of a map, along a knob with a scale
WIDTH = 0.1  # of a range: standard deviation of the weights of a map's average
ENOUGH = 1.0  # trials' weight under which a cell stays empty: one trial at its centre, or several near by
BESIDE = 0.06  # half the width of what is off, of a range
DEFAULTS: Style = {"marker": "*", "s": 110, "color": ORANGE, "edgecolor": BLACK, "linewidth": 0.7}
WINNER: Style = {"marker": "D", "s": 42, "color": VERMILION, "edgecolor": "white", "linewidth": 0.8}


def parallel(study: Study) -> Draw:
    """A line a complete trial through its knobs to its value, the better the later drawn."""
    objective, table = study.objectives[0], study.complete
    values = objective.factor * table[objective.metric].to_numpy(dtype=float)
    scale, axes_of = _scale(values), knob_axes(study)
    places = np.array([[one.place(value) for value in table[one.name]] for one in axes_of]).T
    x = np.arange(len(axes_of) + 1)
    end = np.asarray(scale(values))
    order = np.argsort(values if objective.maximize else -values)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        colours = _colour_bar(figure, axes, scale, objective.label)
        for i in order:
            axes.plot(x, [*places[i], end[i]], color=colours.to_rgba(values[i]), linewidth=0.9, alpha=0.75)
        marks = (study.defaults, "paper's defaults", ORANGE, "--"), (study.winner, study.winner_words, VERMILION, "-")
        for knobs, label, colour, line in marks:
            y = [one.place(knobs[one.name]) for one in axes_of]
            axes.plot(x[:-1], y, color=colour, linestyle=line, marker="o", markersize=3, linewidth=1.8, label=label)
        for at, one in enumerate(axes_of):
            axes.axvline(at, color=BLACK, linewidth=0.6)
            for place, words in one.ticks(list(table[one.name])):
                style: Style = {"ha": "right", "va": "center", "bbox": {"color": "white", "pad": 0.8}}
                axes.annotate(words, (at, place), (-5, 0), textcoords="offset points", **style)
        axes.axvline(x[-1], color=BLACK, linewidth=0.6)
        axes.set_xticks(x, [*(one.title for one in axes_of), objective.label])
        axes.set_yticks([])
        axes.set_xlim(-0.35, x[-1] + 0.05)
        axes.grid(visible=False)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(length=0)
        figure.legend(loc="outside upper center", ncols=2)

    return draw


def slices(study: Study) -> Draw:
    """Every objective over every knob, the other knobs as they were tried."""
    table, axes_of = study.complete, knob_axes(study)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(study.objectives), len(axes_of), sharey="row", squeeze=False)
        for row, objective in zip(grid, study.objectives, strict=True):
            row[0].set_ylabel(objective.label)
            values = objective.factor * table[objective.metric].to_numpy(dtype=float)
            for axes, one in zip(row, axes_of, strict=True):
                places = [one.place(value) for value in table[one.name]]
                axes.scatter(places, values, s=9, color=BLUE, alpha=0.6, linewidth=0)
                axes.axvline(one.place(study.defaults[one.name]), color=ORANGE, linestyle="--", linewidth=1.2)
                axes.axvline(one.place(study.winner[one.name]), color=VERMILION, linewidth=1.2)
                _ticks(axes, study, one, "x")
        for axes, one in zip(grid[-1], axes_of, strict=True):
            axes.set_xlabel(one.title)

    return draw


def maps(study: Study, pairs: Sequence[tuple[KnobAxis, KnobAxis]]) -> Draw:
    """For each pair of knobs, the first objective averaged over the trials near each point."""
    objective, table = study.objectives[0], study.complete
    values = objective.factor * table[objective.metric].to_numpy(dtype=float)
    scale = _scale(values)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, len(pairs), squeeze=False)[0]
        for axes, (first, second) in zip(panels, pairs, strict=True):
            at = [np.array([one.place(value) for value in table[one.name]]) for one in (first, second)]
            borders = [edges(one, list(table[one.name])) for one in (first, second)]
            near = [nearness(one, place, edge) for one, place, edge in zip((first, second), at, borders, strict=True)]
            found = smooth(near[0], near[1], values)
            style: Style = {"cmap": COLOURS, "norm": scale, "edgecolor": "face", "linewidth": 0.2}
            axes.pcolormesh(borders[0], borders[1], np.ma.masked_invalid(found.T), **style)
            axes.scatter(at[0], at[1], s=5, color="white", edgecolor=BLACK, linewidth=0.4, label="a trial")
            for knobs, mark, label in (
                (study.defaults, DEFAULTS, "paper's defaults"),
                (study.winner, WINNER, study.winner_words),
            ):
                axes.scatter(
                    first.place(knobs[first.name]), second.place(knobs[second.name]), label=label, zorder=4, **mark
                )
            _ticks(axes, study, first, "x")
            _ticks(axes, study, second, "y")
            axes.set_xlabel(first.title)
            axes.set_ylabel(second.title)
            axes.grid(visible=False)
        _colour_bar(figure, panels, scale, objective.label)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)

    return draw


def smooth(first: Array, second: Array, values: Array) -> Array:
    """Average (a, b) of `values` (n,) with weights first (a, n) × second (b, n); NaN where there is too little."""
    weight = np.einsum("an,bn->ab", first, second)
    total = np.einsum("an,bn,n->ab", first, second, values)
    return np.where(weight >= ENOUGH, total / np.where(weight > 0, weight, 1), np.nan)


def edges(one: KnobAxis, values: Sequence[KnobValue]) -> Array:
    """Borders of a map's cells along a knob: a cell a choice; else a fine scale, and one for what is beside it."""
    if one.is_choice:
        half = 0.5 / max(len(one.knob.choices) - 1, 1)
        places = np.array([one.place(choice) for choice in one.knob.choices])
        return np.array([*(places - half), places[-1] + half])
    scale = np.linspace(0, 1, CELLS + 1)
    beside = sorted({one.place(value) for value in values if not one.is_number(value)})
    below = [place + side for place in beside if place < 0 for side in (-BESIDE, BESIDE)]
    above = [place + side for place in beside if place > 1 for side in (-BESIDE, BESIDE)]
    return np.array([*below, *scale, *above])


def nearness(one: KnobAxis, places: Array, edges: Array) -> Array:
    """Weights (cells, n) of trials at `places` in cells: by distance on the scale, all or none beside it."""
    centres = (edges[1:] + edges[:-1]) / 2
    gap = centres[:, None] - places
    on_scale = (places >= 0) & (places <= 1)
    inside = (centres > 0) & (centres < 1)
    if one.is_choice:
        return np.asarray(np.abs(gap) < 1e-9, dtype=float)
    near = np.exp(-0.5 * (gap / WIDTH) ** 2)
    return np.where(inside[:, None], near * on_scale, np.abs(gap) < 1e-9)


def _scale(values: Array) -> Normalize:
    """Colours from the second to the 98th percentile: a few bad trials must not take the whole scale."""
    low, high = (float(end) for end in np.quantile(values, [0.02, 0.98]))
    pad = 0.0 if high > low else max(abs(low), 1.0) * 0.01
    return Normalize(low - pad, high + pad, clip=True)


def _colour_bar(figure: Figure, axes: Axes | NDArray[np.object_], scale: Normalize, label: str) -> ScalarMappable:
    colours = ScalarMappable(norm=scale, cmap=COLOURS)
    bar = figure.colorbar(colours, ax=axes, label=label, fraction=0.04, aspect=30)
    bar.outline.set_linewidth(0.4)
    return colours


def _ticks(axes: Axes, study: Study, one: KnobAxis, which: str) -> None:
    """Ticks of a knob's axis, and limits that hold every trial and the defaults."""
    values = [*study.complete[one.name], one.knob.default]
    places, labels = zip(*one.ticks(values), strict=True)
    ends = [0.0, 1.0, *places, *(one.place(value) for value in values)]
    ticks, limits = (axes.set_xticks, axes.set_xlim) if which == "x" else (axes.set_yticks, axes.set_ylim)
    ticks(places, labels)
    limits(min(ends) - 0.08, max(ends) + 0.08)
