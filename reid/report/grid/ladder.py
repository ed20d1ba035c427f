"""The pages beside published numbers: the cumulative ladder, and ours against theirs."""

from math import factorial
from pathlib import Path

import numpy as np

from reid.analysis.published_tables import published_ladder
from reid.analysis.results import MAIN, Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import MISSING, interval, percent, probability, signed, span
from reid.report import style
from reid.report.elements import Figure, Section, Table, centred, left, right, wide
from reid.report.grid.cells import states
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
            probability(row["p_holm"]),
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
            right("p\n(Holm)"),
            centred("all orders"),
            *theirs,
        ],
        rows,
        "Means over seeds, steps with 95 % intervals, and the range over all orders. A rung without a finished "
        "run is a dash. "
        + (
            "Published: Luo et al., CVPRW 2019, table 1, as in the README of "
            "michuanhaohao/reid-strong-baseline (3da7e6f); rank-1 and mAP in %. "
            if published is not None
            else ""
        )
        + f"Runs: {states(results)}.",
    )
    return [Section("The cumulative ladder", [figure, table])]


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
            MISSING if row["low"] != row["low"] else "yes" if row["inside"] else "no",
        ]
        for _, row in each_row(found)
    ]
    inside, known = int(found["inside"].sum()), int(found["low"].notna().sum())
    heads = [
        left("Table"),
        wide("Difference"),
        left("their data"),
        right("theirs"),
        right("ours"),
        centred("95 % of ours"),
        right("ours − theirs"),
        centred("inside"),
    ]
    caption = (
        f"Published gains in mAP (points) beside the same gains here. {inside} of {known} published numbers lie in our "
        "interval. Theirs are single runs on other data and, for backbones and batches, with the tricks of their "
        f"paper; ours are on {dataset.name if (dataset := results.plan.dataset) else 'this data'}. Sources: "
        + "; ".join(found["source"].unique())
        + "."
    )
    return [Section("Published and ours", [Table(heads, rows, caption)])]
