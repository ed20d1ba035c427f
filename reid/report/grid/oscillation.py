"""The page on loss oscillation: do the ID loss and the triplet loss fight, and what parts them?"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas
from scipy import stats

from reid.analysis.results import Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import MISSING, interval, probability, signed
from reid.report import style
from reid.report.elements import Element, Figure, Section, Table, Text, centred, left, right, wide
from reid.report.grid.cells import EXPLORATORY
from reid.report.loss_panels import arms_shown, curves_of, draw_losses, is_list
from reid.report.style import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION
from reid.statistics.inference import benjamini_hochberg
from reid.store.measured import metric_title, smooth

# The indices in words; what they mean stands in reid/training/diagnostics/oscillation.py and conflict.py.
INDICES = {
    "oscillation": metric_title("oscillation"),
    "conflict_share": "samples pulled apart",
    "conflict_cosine": "cosine of gradients",
    "conflict_batch_cosine": "cosine of batch gradients",
    "conflict_both": "samples pulled by both",
    "disagreement": "disagreement",
    "weighted_disagreement": "disagreement, weighted by slope",
    "correlation": "correlation, detrended",
    "id_amplitude": "ID amplitude",
    "triplet_amplitude": "triplet amplitude",
    "id_turns": "ID turns",
    "triplet_turns": "triplet turns",
    "id_rise": "ID rise",
    "triplet_rise": "triplet rise",
    "id_spikes": "ID spikes an iteration",
    "triplet_spikes": "triplet spikes an iteration",
    "id_recovery": "ID recovery, iterations",
    "triplet_recovery": "triplet recovery, iterations",
}
HEADLINE = ("oscillation", "conflict_share", "conflict_cosine")
COLOURS = (VERMILION, BLUE, ORANGE, SKY, BLACK, GREY)  # of the arms


def oscillation_section(results: Results, folder: Path) -> list[Section]:
    """Loss curves, gradient conflict and the indices; no page where no finished run has them."""
    measured = [name for name in HEADLINE if name in results.extras]
    if not measured:
        return []
    shown = arms_shown(results)
    rows = curves_of(results, shown)
    content: list[Element] = []
    if rows:
        content.append(
            Figure(
                style.save(folder / "losses.svg", 0.5 + 1.15 * len(rows), draw_losses(rows)),
                "The losses over iterations, a row an arm, a line a seed: every few iterations as measured "
                "(faint) under a moving average over a fiftieth of the run. Axes are shared down a column; the highest "
                "0.5 % of points are cut. A line that ends early is a run that diverged or is not finished.",
            )
        )
    shares = conflict_shares(rows)
    if shares:
        content.append(
            Figure(
                style.save(folder / "conflict.svg", 2.1, draw_conflict(shares)),
                "Gradient conflict: at every measured iteration of every seed, the share of a batch's samples whose ID "
                "and triplet gradients at the shared feature point apart. Left: how often which share; right: over the "
                "run, moving average over a tenth.",
            )
        )
    effects = index_effects(results, measured)
    if len(effects):
        content.append(
            Figure(
                style.save(folder / "indices.svg", 0.9 + 0.08 * len(effects), draw_forests(effects)),
                "Effect of each factor on the oscillation index and on gradient conflict, with 95 % intervals, as on "
                "mAP. Left of the line: less of it. A larger cosine is less conflict.",
            )
        )
        content.append(effect_table(effects))
    content += [index_table(results, shown)] if shown else []
    content.append(Text(DEFINITION))
    return [Section("Do the losses fight?", [*content])]


DEFINITION = (
    "The oscillation index is the slope-weighted disagreement of the two smoothed losses: of all their movement "
    "between fortieths of the run, the share in which one falls while the other rises (0: always together, 1: always "
    "against each other). Conflict is measured every 20 iterations from the gradients of the two losses at the feature "
    "before the neck. Amplitudes are shares of the loss at the start, turns and rise shares of steps and of movement."
)


def conflict_shares(rows: Mapping[str, Sequence[pd.DataFrame]]) -> dict[str, list[pd.DataFrame]]:
    """Iteration and conflict share where it was measured, a frame a run, of the arms that have both losses."""
    found: dict[str, list[pd.DataFrame]] = {}
    for title, row in rows.items():
        measured = [run[["iteration", "conflict_share"]].dropna() for run in row if "conflict_share" in run]
        if any(map(len, measured)):
            found[title] = measured
    return found


def draw_conflict(shares: Mapping[str, Sequence[pd.DataFrame]]) -> Callable[[Canvas], None]:
    def draw(figure: Canvas) -> None:
        histogram, course = figure.subplots(1, 2)
        for (title, runs), colour in zip(shares.items(), COLOURS, strict=False):
            values = np.concatenate([run["conflict_share"] for run in runs])
            histogram.hist(
                values, bins=list(np.linspace(0, 1, 26)), weights=np.full(len(values), 100 / len(values)),
                histtype="step", color=colour, linewidth=1.2, label=title,
            )  # fmt: skip
            for run in runs:
                smoothed = smooth(run["conflict_share"], max(1, len(run) // 10))
                course.plot(run["iteration"], smoothed, color=colour, linewidth=1)
        histogram.set_xlabel("share of samples pulled apart")
        histogram.set_ylabel("% of measurements")
        course.set_xlabel("iteration")
        course.set_ylabel("share pulled apart")
        course.set_ylim(bottom=0)
        figure.legend(*histogram.get_legend_handles_labels(), loc="outside upper center", ncols=2)

    return draw


def index_effects(results: Results, measured: Sequence[str]) -> pd.DataFrame:
    """Effects on some indices by (index, title of the term), without the terms that no index can be estimated for."""
    listed = is_list(results)
    titles = {
        term.name: results.plan.factors[term.factor].levels[term.level] if listed else results.titles[term.name]
        for term in results.terms
    }
    found = {
        name: results.effects[name]
        .assign(q=benjamini_hochberg(results.effects[name]["p"].to_numpy()))
        .rename(index=titles)
        for name in measured
    }
    frame = pd.concat(found, names=["index", "term"])
    known = frame["effect"].notna().groupby("term", sort=False).any()
    return frame[frame.index.get_level_values("term").isin(known.index[known])]


def draw_forests(effects: pd.DataFrame) -> Callable[[Canvas], None]:
    """A panel an index: effects of every factor with intervals."""
    names = list(dict.fromkeys(effects.index.get_level_values("index")))

    def draw(figure: Canvas) -> None:
        for axes, name in zip(figure.subplots(1, len(names), sharey=True, squeeze=False)[0], names, strict=True):
            frame = effects.loc[name]
            place = np.arange(len(frame), dtype=float)
            middle, low, high = (frame[column].to_numpy(dtype=float) for column in ("effect", "low", "high"))
            spread = np.nan_to_num(np.vstack([middle - low, high - middle]))
            axes.axvline(0, color=BLACK, linewidth=0.6)
            axes.errorbar(middle, place, xerr=spread, linestyle="none", marker="o", markersize=4, color=BLUE)
            axes.set_yticks(place, list(frame.index))
            axes.set_ylim(len(frame) - 0.5, -0.5)
            axes.grid(visible=False, axis="y")
            axes.set_title(INDICES[name])
            axes.set_xlabel("effect")

    return draw


def effect_table(effects: pd.DataFrame) -> Table:
    rows = [
        [
            INDICES[name],
            term,
            signed(name, row["effect"]),
            interval(name, row["low"], row["high"]),
            probability(row["q"]),
        ]
        for (name, term), row in each_row(effects)
    ]
    caption = (
        f"Effects on the indices, estimated as those on mAP are; in a list of arms, against its first. {EXPLORATORY}"
    )
    return Table([left("Index"), wide("Factor"), right("effect"), centred("95 %"), right("q")], rows, caption)


def index_table(results: Results, shown: Mapping[str, str]) -> Table:
    """Every index by arm: mean over seeds, and half the 95 % interval of that mean from the arm's own seeds."""
    finished = results.runs[results.runs["state"] == "finished"]
    rows = [
        [title, *(mean_and_margin(finished.loc[finished["arm"] == arm, name]) for arm in shown)]
        for name, title in INDICES.items()
        if name in results.extras
    ]
    return Table(
        [wide("Index"), *(right(arm) for arm in shown)],
        rows,
        "Every index by arm: mean over seeds ± half of its 95 % interval. Arms: "
        + "; ".join(f"{arm} {title}" for arm, title in shown.items())
        + ".",
    )


def mean_and_margin(values: "pd.Series[float]") -> str:
    """Mean ± half the 95 % t-interval of the values that are there."""
    known = values.dropna()
    if not len(known):
        return MISSING
    mean = f"{known.mean():.3f}".replace("-", "−")
    if len(known) < 2:
        return mean
    margin = stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known))
    return f"{mean} ± {margin:.3f}"
