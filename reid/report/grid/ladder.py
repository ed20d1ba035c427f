"""The pages beside published numbers: the cumulative ladder, and ours against theirs."""

from math import factorial
from pathlib import Path

import numpy as np

from reid.analysis.published import Answer
from reid.analysis.published_tables import published_ladder
from reid.analysis.results import MAIN, Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import interval, percent, probability, signed, span
from reid.report import style
from reid.report.elements import Figure, Section, Table, centred, left, right, wide
from reid.report.grid.cells import EXPLORATORY, states
from reid.tricks.paper import PAPER_TRICKS

PUBLISHED = ("market1501_mAP", "market1501_rank1", "dukemtmc_mAP", "dukemtmc_rank1")


def ladder(results: Results, folder: Path) -> list[Section]:
    """The cumulative ladder, beside the published one for the six tricks; no page where there is no order."""
    rungs = results.ladder
    if rungs is None or results.design.kind in ("leave-one-out", "add-one-in"):
        return []
    single = results.design.kind == "ladder"
    if single:
        rungs = rungs.assign(band_low=np.nan, band_high=np.nan)
    published = None
    if results.order == list(PAPER_TRICKS):
        published = published_ladder("cumulative_ablation_same_domain").loc[["none", *PAPER_TRICKS]]
    rows = [
        [
            "none" if name == "none" else f"+ {results.titles[name]}",
            percent(row["mean"]),
            signed(MAIN, row["step"]),
            interval(MAIN, row["low"], row["high"]),
            probability(row["q"]),
            span(row["band_low"], row["band_high"]),
            *([f"{published[column][name]:.1f}" for column in PUBLISHED] if published is not None else []),
        ]
        for name, row in each_row(rungs)
    ]
    theirs = (
        [right("Market\nmAP"), right("\nrank-1"), right("Duke\nmAP"), right("\nrank-1")]
        if published is not None
        else []
    )
    drawing = style.ladder(rungs, published, [results.shorts[name] for name in rungs.index[1:]])
    order = "the paper's order" if published is not None else "this order"
    figure = Figure(
        style.save(folder / "ladder.svg", 3.3, drawing),
        f"Tricks added one after another in {order}. "
        + (
            "No other order was run: what a trick adds in another company is not known."
            if single
            else "The band spans, at each rung, the least and the greatest mean of a finished arm over all "
            f"{factorial(len(rungs) - 1)} orders: where it is wide, a ladder in another order tells another "
            "story of the same runs."
        )
        + (
            " The published ladders (right) have one order, one run a rung and no interval."
            if published is not None
            else ""
        ),
    )
    table = Table(
        [
            wide("Rung"),
            right("mAP, %"),
            right("step"),
            centred("95 % of step"),
            right("q"),
            centred("all orders"),
            *theirs,
        ],
        rows,
        f"{means(results)}, steps with 95 % intervals, and the range over all orders. A rung without a finished run "
        f"is a dash. {EXPLORATORY} "
        + (
            "Published: Luo et al., CVPRW 2019, table 1, as in the README of "
            "michuanhaohao/reid-strong-baseline (3da7e6f); rank-1 and mAP in %. "
            if published is not None
            else ""
        )
        + f"Runs: {states(results)}.",
    )
    return [Section("The cumulative ladder", [figure, table])]


def means(results: Results) -> str:
    """What kind of means and intervals comparisons of single arms have."""
    if results.analysis.predictor is None:
        return "Means over seeds"
    return (
        "Random-effects means and intervals: interactions of more than two factors are shrunk as far as the runs show "
        "them to be small, so that a mean leans on all runs"
    )


def published(results: Results) -> list[Section]:
    """Published differences beside ours; no page where the grid has no arms for any."""
    found = results.published
    if found.empty:
        return []
    rows = [
        [
            row["table"],
            row["what"],
            row["data"],
            signed(MAIN, row["theirs"]),
            signed(MAIN, row["ours"]),
            interval(MAIN, row["low"], row["high"]),
            signed(MAIN, row["difference"]),
            row["answer"],
        ]
        for _, row in each_row(found)
    ]
    count = found["answer"].value_counts()
    answers = ", ".join(f"{count.get(answer, 0)} {answer}" for answer in Answer)
    heads = [
        left("Table"),
        wide("Difference"),
        left("their data"),
        right("theirs"),
        right("ours"),
        centred("prediction"),
        right("ours − theirs"),
        left("answer"),
    ]
    caption = (
        f"Published gains in mAP (points) beside the same gains here: {answers}. A published number is one run an arm, "
        "so it is held against the interval in which one more such difference, with our noise, falls with 95 %: "
        "outside it contradicts, inside it agrees, unless the interval is wider than the gain either way. Theirs are "
        "on other data and, for backbones and batches, with the tricks of their "
        f"paper; ours are on {dataset.name if (dataset := results.plan.dataset) else 'this data'}. Sources: "
        + "; ".join(found["source"].unique())
        + "."
    )
    return [Section("Published and ours", [Table(heads, rows, caption)])]
