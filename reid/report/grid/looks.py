"""The page on a grid that grew until it was decided: every look, its bound, and when each factor was told."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Canvas

from reid.analysis.results import MAIN, Results
from reid.metrics.formatting import interval, signed
from reid.report import style
from reid.report.elements import Element, Figure, Section, Table, Text, centred, left, right, wide
from reid.report.style import BLACK, BLUE, GREY
from reid.store.looks import LookRecord, followed, read_looks
from reid.store.plan import UntilRecord

PANELS = 3  # in a row
STOPS = {
    "": "another batch",
    "decided": "every factor has its verdict",
    "narrow": "every interval is narrow enough",
    "at_most": "as many runs as allowed",
}
KINDS = {"no_effect": "no effect that matters"}


def looks_section(results: Results, folder: Path) -> list[Section]:
    """Intervals as they shrank from look to look, the looks with their bounds, the verdicts; no page of other grids."""
    until, looks = results.plan.until, read_looks(results.grid.path)
    if until is None:
        return []
    if not looks:
        words = f"Nobody has looked yet: the first look is when two batches of {until.batch} runs are over."
        return [Section("Looks", [Text(words)])]
    titles = {name: results.titles.get(name, name) for name in followed(looks)}
    height = 0.4 + 1.25 * ceil(len(titles) / PANELS)
    matters = results.plan.matters
    band = "" if matters is None else f" Grey: effects of less than {matters:g} points, which do not matter here."
    elements: list[Element] = [
        Figure(
            style.save(folder / "looks.svg", height, draw_looks(looks, titles, matters)),
            f"Effect on mAP, percentage points, with its interval at every look, over runs. Filled: decided.{band}",
        ),
        _looks(until, looks),
        _verdicts(looks, titles),
    ]
    return [Section("Looks", elements)]


def _looks(until: UntilRecord, looks: Sequence[LookRecord]) -> Table:
    rows = [
        [
            str(look.look),
            str(look.batches),
            str(look.runs),
            look.lost or "none",
            f"{look.critical:.3f}",
            f"{look.decided} of {len(look.factors)}",
            STOPS[look.stop],
        ]
        for look in looks
    ]
    heads = [
        right("Look"),
        right("batches"),
        right("runs"),
        left("lost"),
        right("bound"),
        right("decided"),
        wide("then"),
    ]
    return Table(heads, rows, f"A look after every batch of {until.batch} runs from the second on. {_rule(until)}")


def _rule(until: UntilRecord) -> str:
    """How the bounds are made, in words."""
    lost = "Lost runs diverged, or failed for good; they count in no estimate."
    if until.half_width is not None:
        return (
            f"The grid ends when every interval reaches {until.half_width:g} points to either side, or at "
            f"{until.at_most} runs. That rule does not look at the effects, so the intervals are those of a grid of "
            f"fixed size. Bound: standard errors to either side of the effect. {lost}"
        )
    return (
        "Bound: standard errors to either side of the effect, of the widest interval at that look. Bounds share an "
        f"error rate of 5 % among all looks up to {until.at_most} runs (Lan and DeMets, spending of Pocock's type) and "
        "among the factors that have no sign yet (Holm); that an effect does not matter is held against bounds of its "
        f"own. {lost}"
    )


def _verdicts(looks: Sequence[LookRecord], titles: Mapping[str, str]) -> Table:
    rows = []
    for name, title in titles.items():
        last = looks[-1].factors[name]
        told = next((look for look in looks if look.factors[name].is_decided), None)
        rows.append(
            [
                title,
                signed(MAIN, last.effect),
                interval(MAIN, last.low, last.high),
                KINDS.get(last.kind, last.kind.replace("_", " ")),
                "" if told is None else f"look {told.look}, {told.runs} runs",
            ]
        )
    heads = [wide("Factor"), right("effect"), centred("interval"), left("verdict"), left("first told at")]
    return Table(heads, rows, "The last look, mAP in percentage points. The intervals hold at every look together.")


def draw_looks(
    looks: Sequence[LookRecord], titles: Mapping[str, str], matters: float | None
) -> Callable[[Canvas], None]:
    """A panel a factor: its interval at every look, in points, over the runs that counted."""

    def draw(figure: Canvas) -> None:
        rows = ceil(len(titles) / PANELS)
        panels = figure.subplots(rows, min(PANELS, len(titles)), sharex=True, sharey=True, squeeze=False).ravel()
        runs = [look.runs for look in looks]
        for axes, (name, title) in zip(panels, titles.items(), strict=False):
            if matters is not None:
                axes.axhspan(-matters, matters, color="#EDEDED", zorder=0)
            axes.axhline(0, color=BLACK, linewidth=0.6)
            for run, look in zip(runs, looks, strict=True):
                factor = look.factors[name]
                if not np.isfinite([factor.low, factor.high]).all():
                    continue
                colour = BLUE if factor.is_decided else GREY
                axes.plot([run, run], [100 * factor.low, 100 * factor.high], color=colour, linewidth=1.2)
                face = colour if factor.is_decided else "white"
                axes.plot(run, 100 * factor.effect, marker="o", markersize=3.5, color=colour, markerfacecolor=face)
            axes.set_title(title)
        for axes in panels[len(titles) :]:
            axes.set_visible(False)
        figure.supxlabel("runs", fontsize=7)

    return draw
