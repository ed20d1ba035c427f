"""Figures of a study, in the report's style: the comparison, the search's history, its front and its inner values."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reid.analysis.study_table import Study
from reid.metrics.spec import is_fraction
from reid.report.study.knob_axis import knob_axes
from reid.report.style import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION, Style
from reid.statistics.least_squares import Array
from reid.statistics.paired import PairedDifference
from reid.store.measured import metric_head
from reid.store.study import KnobImportance

Draw = Callable[[Figure], None]
MARKS: dict[str, Style] = {
    "pruned": {"marker": "x", "color": GREY, "label": "pruned (where it was left)"},
    "diverged": {"marker": "v", "color": VERMILION, "label": "diverged"},
    "failed": {"marker": "s", "color": BLACK, "label": "failed"},
}


def comparison(values: Array, pairs: Array, found: PairedDifference, metric: str) -> Draw:
    """A line a seed from the defaults to the winner, `values` (2, seeds); beside it the mean difference of `pairs`."""
    factor = 100 if is_fraction(metric) else 1
    points = "percentage points" if is_fraction(metric) else metric_head(metric)

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
        left.plot((0, 1), factor * values, color=GREY, marker="o", markersize=4, linewidth=1)
        left.plot((0, 1), factor * pairs.mean(axis=1), color=BLUE, marker="D", markersize=5, linewidth=2)
        left.set_xticks((0, 1), ("paper's defaults", "winner"))
        left.set_xlim(-0.3, 1.3)
        left.set_ylabel(f"test {metric_head(metric)}")
        right.axvline(0, color=BLACK, linewidth=0.6)
        middle, low, high = (factor * value for value in (found.difference, found.low, found.high))
        spread = np.nan_to_num([[middle - low], [high - middle]])
        right.errorbar([middle], [0], xerr=spread, color=BLUE, marker="o", markersize=5, elinewidth=1.4)
        right.set_yticks([])
        right.set_ylim(-1, 1)
        right.spines["left"].set_visible(False)
        right.set_xlabel(f"winner minus defaults, {points}, 95 % interval")

    return draw


def history(study: Study) -> Draw:
    """The first objective by trial, the best so far, and what became of the other trials."""
    objective, table = study.objectives[0], study.trials
    values = objective.factor * study.complete[objective.metric].astype(float)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.scatter(values.index, values, s=14, facecolor="white", edgecolor=BLUE, label="complete", zorder=2)
        best = values.cummax() if objective.maximize else values.cummin()
        axes.step(best.index, best, where="post", color=BLUE, linewidth=1.4, label="best so far")
        defaults = [n for n in study.complete.index if same_knobs(study, n)]
        axes.scatter(defaults, values[defaults], s=60, marker="*", color=ORANGE, edgecolor=BLACK, linewidth=0.5,
                     label="paper's defaults", zorder=4) if defaults else None  # fmt: skip
        for state, style in MARKS.items():
            numbers = table.index[table["state"] == state]
            last = [_last(study, int(n)) for n in numbers]
            left = {n: objective.factor * value for n, value in zip(numbers, last, strict=True) if value is not None}
            if state == "pruned" and left:
                axes.scatter(list(left), list(left.values()), s=16, linewidth=1, zorder=3, **style)
                numbers = numbers.difference(list(left))
            if len(numbers):
                place = np.full(len(numbers), 0.025)
                named = style if state != "pruned" or not left else {**style, "label": None}
                axes.scatter(numbers, place, s=18, transform=axes.get_xaxis_transform(), clip_on=False, **named)
        axes.set_xlabel("trial")
        axes.set_ylabel(objective.label)
        axes.set_xlim(-0.02 * len(table) - 0.5, 1.02 * len(table))
        figure.legend(loc="outside upper center", ncols=6)

    return draw


def same_knobs(study: Study, number: int) -> bool:
    """Whether a trial has the paper's value of every knob."""
    return all(study.trials.at[number, name] == value for name, value in study.defaults.items())


def _last(study: Study, number: int) -> float | None:
    """The last value that a trial reported before it was left."""
    reported = study.intermediate.get(number)
    return reported[-1][1] if reported else None


def intermediate(study: Study) -> Draw:
    """What trials reported on their way, by step; those that were pruned end early."""
    objective = study.objectives[0]
    styles: dict[str, Style] = {
        "complete": {"color": SKY, "linewidth": 0.8, "alpha": 0.7, "label": "complete"},
        "pruned": {"color": VERMILION, "linewidth": 0.8, "linestyle": "--", "marker": "x", "label": "pruned"},
        "diverged": {"color": BLACK, "linewidth": 0.8, "linestyle": ":", "marker": "v", "label": "diverged"},
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for state, style in styles.items():
            for number in study.trials.index[study.trials["state"] == state]:
                _line(axes, study, int(number), {**style, "markersize": 4, "markevery": [-1]})
                style = {**style, "label": None}
        _line(axes, study, study.best, {"color": BLUE, "linewidth": 2, "label": f"best, trial {study.best}"})
        axes.set_xlabel("step")
        axes.set_ylabel(objective.label)
        figure.legend(loc="outside upper center", ncols=4)

    return draw


def _line(axes: Axes, study: Study, number: int, style: Style) -> None:
    steps = study.intermediate.get(number)
    if steps:
        x, y = np.array(steps).T
        axes.plot(x, study.objectives[0].factor * y, **style)


def importances(study: Study, shares: Mapping[str, Mapping[str, KnobImportance]]) -> Draw:
    """Both methods' shares with their intervals, a row a knob; hollow where not told from noise."""
    titles = {one.name: one.title for one in knob_axes(study)}
    names = sorted(shares["fanova"], key=lambda name: -shares["fanova"][name].importance)
    methods = {"fanova": ("fANOVA", BLUE, "o", -0.12), "ped_anova": ("PED-ANOVA", VERMILION, "s", 0.12)}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for method, (label, colour, marker, offset) in methods.items():
            rows = [shares[method][name] for name in names]
            middle, low, high = 100 * np.array([(row.importance, row.low, row.high) for row in rows]).T
            style: Style = {"color": colour, "marker": marker, "markersize": 4, "elinewidth": 1.1}
            y = np.arange(len(names)) + offset
            axes.errorbar(middle, y, xerr=(middle - low, high - middle), linestyle="none", label=label, **style)
            noise = [k for k, row in enumerate(rows) if not row.is_told]
            hollow: Style = {"color": colour, "marker": marker, "markersize": 4, "markerfacecolor": "white"}
            axes.plot(middle[noise], y[noise], linestyle="none", zorder=3, **hollow)
        axes.set_yticks(np.arange(len(names)), [titles.get(name, name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("share, %")
        figure.legend(loc="outside upper center", ncols=2)

    return draw


def pareto(study: Study) -> Draw:
    """Two objectives against each other, with the trials that no other beats on both."""
    first, second = study.objectives[:2]
    x = first.factor * study.complete[first.metric].astype(float)
    y = second.factor * study.complete[second.metric].astype(float)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.scatter(x, y, s=14, facecolor="white", edgecolor=GREY, label="a trial")
        axes.plot(x[study.front], y[study.front], color=BLUE, marker="o", markersize=4, linewidth=1, label="the front")
        defaults = [n for n in study.complete.index if same_knobs(study, n)]
        if defaults:
            style: Style = {"marker": "*", "color": ORANGE, "edgecolor": BLACK, "linewidth": 0.5, "zorder": 4}
            axes.scatter(x[defaults], y[defaults], s=70, label="paper's defaults", **style)
        axes.set_xlabel(first.label)
        axes.set_ylabel(second.label)
        figure.legend(loc="outside right upper")

    return draw
