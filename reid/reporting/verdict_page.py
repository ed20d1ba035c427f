"""The first page: what helps, by how much, how sure; which arm is best; what it rests on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reid.reporting import blocks, figures
from reid.reporting.blocks import Block
from reid.reporting.ladder import ties_with_best
from reid.reporting.records import SWITCH, each_row
from reid.reporting.results import MAIN, Results
from reid.reporting.words import interval, percent, probability, signed

FITTED = ". Effects are fitted to the finished runs; the others are counted here and never averaged as numbers"

GROUPS = {
    "helps": "Helps",
    "hurts": "Hurts",
    "no effect": "No effect beyond the noise",
    "cannot tell": "Cannot tell yet",
    "not estimable": "Not estimable",
}


def headline(results: Results) -> str:
    """The verdicts in one paragraph, largest effect first."""
    found = results.effects[MAIN].sort_values("effect", ascending=False)
    parts = []
    for start, label in GROUPS.items():
        members = [(name, row["effect"]) for name, row in each_row(found) if row["verdict"].startswith(start)]
        if members:
            words = (results.titles[name] + f" ({signed(MAIN, value)})" * (value == value) for name, value in members)
            parts.append(f"{label}: {', '.join(words)}.")
    return " ".join(parts)


def verdict(results: Results, folder: Path) -> list[Block]:
    """A line a factor, the forest plot, and the facts behind them."""
    found = results.effects[MAIN]
    rows = [
        [
            results.titles[name],
            signed(MAIN, row["effect"]),
            interval(MAIN, row["low"], row["high"]),
            probability(row["p_holm"]),
            row["verdict"],
        ]
        for name, row in each_row(found)
    ]
    titled = found.rename(index=results.titles)
    lines = [blocks.table(["<Factor", ">mAP, points", "=95 % interval", ">p (Holm)", "<*Verdict"], rows)]
    if found["effect"].isna().all():
        return [*lines, blocks.facts(facts(results))]
    height = 0.75 + 0.28 * len(found)
    file = figures.save(folder / "forest.svg", height, figures.forest(titled, float(results.noise.sd)))
    return [
        *lines,
        blocks.figure(
            file,
            "Effect of each factor on mAP, averaged over all other factors, with 95 % intervals. An interval "
            "clear of the line helps (right) or hurts (left); one inside the grey band, the noise of a single run, is "
            "no effect.",
        ),
        blocks.facts(facts(results)),
    ]


def facts(results: Results) -> list[tuple[str, str]]:
    """Best arm, runs by state, noise and data, each a line."""
    dataset = results.plan.content.get("dataset") or {}
    seeds = results.plan.content["seeds"]
    missing = bool((results.runs["state"] != "finished").any())
    return [
        ("Best arm", best(results)),
        (
            "Runs",
            f"{len(results.arms)} arms, {len(seeds)} seed{'s' * (len(seeds) > 1)}: {states(results)}{FITTED * missing}",
        ),
        ("Noise", noise(results)),
        ("Data", f"{dataset.get('name', 'unnamed')}, fingerprint {results.runs['fingerprint'].dropna().iloc[0]}"),
    ]


def states(results: Results) -> str:
    """How many runs are in which state; missing ones are named, never dropped."""
    counts = results.runs["state"].value_counts()
    finished = counts.pop("finished")
    others = "".join(f", {count} {state}" for state, count in sorted(counts.items()))
    return f"{finished} of {len(results.runs)} finished{others}"


def noise(results: Results) -> str:
    noise = results.noise
    if np.isnan(noise.sd):
        return "cannot be measured: no finished run is left over; intervals are empty"
    text = (
        f"standard deviation of a single run {percent(float(noise.sd))} points of mAP ({noise.source}, {noise.df:g} df)"
    )
    return text + ", the region of practical equivalence"


def best(results: Results) -> str:
    """The arm of the highest mean and how many others are not told apart from it."""
    number, ties = ties_with_best(results.runs, results.names, MAIN)
    arm = format(number, f"0{len(results.names)}b")
    row = results.arms.to_dict("index")[arm]
    text = (
        f"{arm} ({describe(results.plan.factors, arm)}), {percent(row['mAP'])} % mAP, {percent(row['rank1'])} % rank-1"
    )
    if ties < 0:
        return text
    told = {0: "told apart from every other arm", 1: "1 other arm is not told apart from it"}
    return f"{text}; {told.get(ties, f'{ties} other arms are not told apart from it')}"


def describe(factors: Sequence[Mapping[str, Any]], arm: str) -> str:
    """Levels of `factors` in words, a digit of `arm` each: what is on, and the level of what is not a switch."""
    words = []
    for factor, digit in zip(factors, arm, strict=True):
        short, level = factor.get("short") or factor["name"], factor["levels"][int(digit)]
        if factor["levels"] != SWITCH:
            words.append(f"{short} {level}")
        elif level == "on":
            words.append(short)
    return " + ".join(words) or "none"
