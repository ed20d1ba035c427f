"""The pages behind the verdict: the effects, on every metric and over queries; the interactions."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from reid.analysis.results import MAIN, QUALITY, Results, Unavailable
from reid.metrics.formatting import interval, probability, signed
from reid.metrics.spec import is_fraction
from reid.report import style
from reid.report.elements import Element, Figure, Section, Table, Text, centred, left, right, wide
from reid.report.grid.cells import EXPLORATORY, basis, effect_cells
from reid.statistics.design import MAIN as MAIN_EFFECT
from reid.store.measured import metric_title

Series = list[tuple[str, pd.DataFrame, tuple[str, str, str, str]]]


def effects(results: Results, folder: Path) -> Section:
    """Main effects, Shapley values, single steps; and what other queries would have said."""
    series = comparisons(results)
    rows = [
        [
            title,
            *(
                cell
                for _, frame, (value, low, high, _) in series
                for row in [frame.to_dict("index")[name]]
                for cell in (signed(MAIN, row[value]), interval(MAIN, row[low], row[high]))
            ),
        ]
        for name, title in results.titles.items()
    ]
    metrics = [
        [title, *(cell for metric in QUALITY for cell in effect_cells(results, metric, name))]
        for name, title in results.titles.items()
    ]
    titled = [(key, frame.rename(index=results.titles), columns[:3]) for key, frame, columns in series]
    explained = {
        "main": "Main effect: mean of all arms with it minus mean of all arms without.",
        "Shapley": "The Shapley values add up to all minus none.",
        "alone": "Alone: its arm minus none.",
        "away": "Taken away: all minus all but it.",
        "step": "Step: what it adds to those before it.",
    }
    if results.design.kind == "fraction":
        explained["Shapley"] += (
            " In a fraction they rest on main effects and pairs alone, and so equal the main effects."
        )
    heads = {"away": "taken away"}
    drawn = [
        Figure(
            style.save(folder / "effects.svg", 0.9 + 0.15 * len(series) * len(rows), style.contrasts(titled)),
            "Several answers to what a factor brings. Where they agree, the factor does the same in any company; where "
            "alone and taken away lie apart, it interacts. Single steps compare two arms only and are the less sure.",
        )
    ]
    return Section(
        "Effects: averaged, alone, taken away",
        [
            *(drawn if len(series) > 1 else []),
            Table(
                [
                    wide("Factor"),
                    *(head for key, _, _ in series for head in (right(heads.get(key, key)), centred("95 %"))),
                ],
                rows,
                "mAP, percentage points. " + " ".join(explained[key] for key, _, _ in series) + f" {basis(results)}",
            ),
            *probabilities(results, series),
            Table(
                [
                    wide("Factor"),
                    *(head for title in QUALITY.values() for head in (right(title), centred("95 %"), right("q"))),
                ],
                metrics,
                f"Effects on three metrics, percentage points; intervals hold for all factors together. {EXPLORATORY}",
            ),
            *over_queries(results),
        ],
    )


def probabilities(results: Results, series: Series) -> list[Element]:
    """The p-values of several answers; the one answer of a design that has no other stands on the first page."""
    if len(series) == 1:
        return []
    found = [frame[columns[-1]].to_dict() for _, frame, columns in series]
    rows = [[title, *(probability(p[name]) for p in found)] for name, title in results.titles.items()]
    caption = (
        "The same numbers tested over the factors: the first column after Holm, the verdict's; the others exploratory, "
        "their false discovery rate (Benjamini and Hochberg)."
    )
    return [
        Table(
            [wide("Factor"), *(right(f"{'q' if n else 'p'} of {key}") for n, (key, _, _) in enumerate(series))],
            rows,
            caption,
        )
    ]


def comparisons(results: Results) -> Series:
    """The series that the design has numbers for: key, frame by term, and its columns of value, low, high and p."""
    singles = results.singles
    estimand = {"leave-one-out": "away", "add-one-in": "alone", "ladder": "step"}.get(results.design.kind, "main")
    series = [(estimand, results.effects[MAIN], ("effect", "low", "high", "p_holm"))]
    if results.shapley is not None and results.design.estimand == MAIN_EFFECT:
        series.append(("Shapley", results.shapley, ("value", "low", "high", "q")))
    known = [key for key in ("alone", "away") if key != estimand and singles[key].notna().any()]
    return series + [(key, singles, (key, f"{key}_low", f"{key}_high", f"{key}_q")) for key in known]


def over_queries(results: Results) -> list[Element]:
    """Seed uncertainty beside query uncertainty, where the runs kept their queries' average precision."""
    if results.design.estimand != MAIN_EFFECT:
        return []
    if isinstance(results.queries, Unavailable):
        return [Text(f"Uncertainty over queries: {results.queries.reason}.")]
    over, main = results.queries.to_dict("index"), results.effects[MAIN].to_dict("index")
    rows = [
        [
            title,
            signed(MAIN, main[name]["effect"]),
            interval(MAIN, main[name]["low"], main[name]["high"]),
            interval(MAIN, over[name]["low"], over[name]["high"]),
        ]
        for name, title in results.titles.items()
    ]
    caption = (
        "Two uncertainties of the main effects on mAP, not to be added up. Over runs: were the grid trained again. "
        "Over queries: were other people searched for with the same networks (jackknife over the queries' identities)."
    )
    return [
        Table([wide("Factor"), right("main"), centred("95 % over runs"), centred("95 % over queries")], rows, caption)
    ]


def other_metrics(results: Results, shown: Collection[str]) -> list[Section]:
    """Effects on what was measured beyond the metrics, the costs, and what other pages have `shown`."""
    extras = [metric for metric in results.extras if metric not in shown]
    if not extras:
        return []
    rows = [
        [metric_title(metric), title, *effect_cells(results, metric, name)]
        for metric in extras
        for name, title in results.titles.items()
    ]
    points = any(is_fraction(metric) for metric in extras)
    caption = (
        "Effects on what else was measured" + (", rankings in percentage points. " if points else ". ") + EXPLORATORY
    )
    columns = [left("Metric"), wide("Factor"), right("effect"), centred("95 %"), right("q")]
    return [Section("Other measures", [Table(columns, rows, caption)])]
