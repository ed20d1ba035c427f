"""The pages behind the verdict: the ladder, the effects, the interactions."""

from pathlib import Path

import pandas as pd

from reid.reporting import blocks, figures
from reid.reporting.assets import asset
from reid.reporting.blocks import Block
from reid.reporting.records import each_row
from reid.reporting.results import MAIN, QUALITY, Results
from reid.reporting.verdict_page import states
from reid.reporting.words import interval, percent, probability, signed, span

PUBLISHED = ("market1501_mAP", "market1501_rank1", "dukemtmc_mAP", "dukemtmc_rank1")


def basis(results: Results) -> str:
    """What an estimate rests on, for its caption."""
    return f"Runs: {states(results)}."


def effect_cells(results: Results, metric: str, name: str) -> list[str]:
    """Effect of a factor on a metric, its interval and its p-value, in words."""
    row = results.effects[metric].to_dict("index")[name]
    return [signed(metric, row["effect"]), interval(metric, row["low"], row["high"]), probability(row["p_holm"])]


def ladder(results: Results, folder: Path) -> list[Block]:
    """The cumulative ladder beside the published one; no page where the factors are not the six tricks."""
    rungs = results.ladder
    if rungs is None:
        return []
    published = pd.read_csv(asset("published/cumulative_ablation_same_domain.csv")).head(len(rungs))
    rows = [
        [
            "none" if name == "none" else f"+ {results.titles[name]}",
            percent(row["mean"]),
            signed(MAIN, row["step"]),
            interval(MAIN, row["low"], row["high"]),
            span(row["band_low"], row["band_high"]),
            *(f"{theirs[column]:.1f}" for column in PUBLISHED),
        ]
        for (name, row), (_, theirs) in zip(each_row(rungs), each_row(published), strict=True)
    ]
    theirs = [">Market mAP", ">rank-1", ">Duke mAP", ">rank-1"]
    drawing = figures.ladder(rungs, published, [results.shorts[name] for name in rungs.index[1:]])
    return [
        blocks.section(
            "The cumulative ladder",
            blocks.figure(
                figures.save(folder / "ladder.svg", 3.3, drawing),
                "Tricks added one after another in the paper's order. The band spans, at each rung, the least and the "
                "greatest mean of a finished arm over all 720 orders: where it is wide, a ladder in another order "
                "tells another story of the same runs. The published ladders (right) have an order, one run a rung "
                "and no interval.",
            ),
            blocks.table(
                ["<*Rung", ">mAP, %", ">step", "=95 % of step", "=all orders", *theirs],
                rows,
                "Means over seeds, steps with 95 % intervals, and the range over all orders. Published: Luo et al., "
                "CVPRW 2019, table 1, as in the README of michuanhaohao/reid-strong-baseline (3da7e6f); rank-1 and mAP "
                f"in %. {basis(results)}",
            ),
        )
    ]


def effects(results: Results, folder: Path) -> Block:
    """Main effects, Shapley values, single steps."""
    main, singles, shares = results.effects[MAIN], results.singles, results.shapley
    sources = [
        (main, ("effect", "low", "high")),
        (shares, ("value", "low", "high")),
        (singles, ("alone", "alone_low", "alone_high")),
        (singles, ("away", "away_low", "away_high")),
    ]
    lines = [
        (title, [[frame.to_dict("index")[name][key] for key in keys] for frame, keys in sources])
        for name, title in results.titles.items()
    ]
    rows = [
        [title, *(cell for value, low, high in found for cell in (signed(MAIN, value), interval(MAIN, low, high)))]
        for title, found in lines
    ]
    metrics = [
        [title, *(cell for metric in QUALITY for cell in effect_cells(results, metric, name))]
        for name, title in results.titles.items()
    ]
    drawing = figures.contrasts(*(frame.rename(index=results.titles) for frame in (main, singles, shares)))
    return blocks.section(
        "Effects: averaged, alone, taken away",
        blocks.figure(
            figures.save(folder / "effects.svg", 0.9 + 0.6 * len(main), drawing),
            "Four answers to what a factor brings. Where they agree, the factor does the same in any company; where "
            "alone and taken away lie apart, it interacts. Single steps compare two arms only and are the less sure.",
        ),
        blocks.table(
            ["<*Factor", ">main", "=95 %", ">Shapley", "=95 %", ">alone", "=95 %", ">taken away", "=95 %"],
            rows,
            "mAP, percentage points. Main effect: mean of all arms with it minus mean of all arms without. Alone: its "
            "arm minus none. Taken away: all minus all but it. The Shapley values add up to all minus none. "
            + basis(results),
        ),
        blocks.table(
            ["<*Factor", *(head for title in QUALITY.values() for head in (f">{title}", "=95 %", ">p (Holm)"))],
            metrics,
            "Main effects on three metrics, percentage points.",
        ),
    )


def interactions(results: Results, folder: Path) -> list[Block]:
    """The map of all pairs; no page with a single factor."""
    found = results.interactions
    if found.empty:
        return []
    if found["effect"].isna().all():
        nothing = blocks.text(f"The finished runs do not separate any pair. {basis(results)}")
        return [blocks.section("Interactions", nothing)]
    main = results.effects[MAIN]["effect"].to_dict()
    rows = [
        [
            f"{results.titles[a]} × {results.titles[b]}",
            signed(MAIN, row["effect"]),
            interval(MAIN, row["low"], row["high"]),
            probability(row["p_holm"]),
            *(f"{signed(MAIN, main[x] - row['effect'])} / {signed(MAIN, main[x] + row['effect'])}" for x in (a, b)),
        ]
        for (a, b), row in each_row(found.sort_values("effect", key=abs, ascending=False))
    ]
    both = ["=first, at both\nlevels of second", "=second, at both\nlevels of first"]
    drawing = figures.interaction_map(found, results.titles, results.shorts)
    return [
        blocks.section(
            "Interactions",
            blocks.figure(
                figures.save(folder / "interactions.svg", 0.4 + 0.42 * len(results.names), drawing),
                "Interaction of every pair on mAP: half of what the effect of one gains when the other is on. Plus: "
                "together more than the sum; minus: they do the same work. Boxed pairs hold after Holm's correction "
                "over all pairs.",
            ),
            blocks.table(
                ["<*Pair", ">interaction", "=95 %", ">p (Holm)", *both],
                rows,
                "All pairs, largest first; percentage points of mAP. The right columns are the effect of one factor of "
                f"the pair at the first and at the second level of the other. {basis(results)}",
            ),
        )
    ]
