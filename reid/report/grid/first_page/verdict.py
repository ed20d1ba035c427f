"""The first page: what helps, by how much, how sure; which arm is best; what it rests on."""

from functools import partial
from pathlib import Path

import numpy as np

from reid.analysis.completeness import precision_loss
from reid.analysis.results import MAIN, Results
from reid.analysis.runs_table import each_row
from reid.analysis.verdict import headline as headline_of
from reid.metrics.formatting import interval, percent, probability, signed
from reid.report import style
from reid.report.elements import Element, Facts, Figure, Table, centred, left, right, wide
from reid.report.grid.cells import describe, states
from reid.statistics.design import MAIN as MAIN_EFFECT

FITTED = ". Effects are fitted to the finished runs; the others are counted here and never averaged as numbers"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of the factors in a defining relation
FRACTIONS = {2: "half", 4: "quarter", 8: "eighth", 16: "sixteenth"}


def headline(results: Results) -> str:
    """The verdicts in one paragraph, largest effect first."""
    found = results.effects[MAIN].sort_values("effect", ascending=False)
    return headline_of(found, results.titles, partial(signed, MAIN))


def verdict(results: Results, folder: Path) -> list[Element]:
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
    heads = [left("Factor"), right("mAP, points"), centred("95 % interval"), right("p (Holm)"), wide("Verdict")]
    if found["effect"].isna().all():
        return [Table(heads, rows), Facts(facts(results))]
    height = 0.75 + 0.28 * len(found)
    file = style.save(folder / "forest.svg", height, style.forest(titled, results.matters))
    averaged = results.design.estimand == MAIN_EFFECT
    matters = (
        " One inside the grey band has no effect that matters."
        if results.matters is not None
        else " No factor is said to have no effect: the grid does not declare from how many points on one matters."
    )
    return [
        Table(heads, rows),
        Figure(
            file,
            ("Effect of each factor on mAP, averaged over all other factors" if averaged else "Effect of each factor")
            + ", with intervals that hold for all factors together in 95 %. One clear of the line helps (right) "
            f"or hurts (left).{matters}",
        ),
        Facts(facts(results)),
    ]


def facts(results: Results) -> list[tuple[str, str]]:
    """Best arm, design, runs by state, noise and data, each a line."""
    dataset = results.plan.dataset
    fingerprints = ", ".join(results.runs["fingerprint"].dropna().unique())
    return [
        *placebo(results),
        *ends(results),
        ("Best arm", best(results)),
        ("Design", design(results)),
        ("Runs", runs(results)),
        *looks(results),
        ("Noise", noise(results)),
        *seeds(results),
        ("Data", f"{dataset.name if dataset else 'unnamed'}, fingerprint {fingerprints}"),
    ]


def design(results: Results) -> str:
    """Which arms were planned, what is called an effect, and what it is aliased with."""
    found, shorts = results.design, [results.shorts[term.name] for term in results.terms]
    if found.kind == "fraction":
        part = found.coding.cells // len(found.arms)
        words = " = ".join("".join(LETTERS[i] for i in word) for word in found.words)
        letters = ", ".join(f"{LETTERS[i]} {short}" for i, short in enumerate(shorts))
        resolution = len(found.words[0])
        clean = (
            "effects that are aliased with each other are shown as sums only, the others stand for themselves and for "
            "interactions of more factors, taken to be nil"
            if any(len(group) > 1 for group in found.alias_groups)
            else f"a main effect stands for itself and for interactions of {resolution - 1} factors, a pair for itself "
            f"and for interactions of {resolution - 2}: these are taken to be nil"
        )
        name = FRACTIONS.get(part, f"1/{part}")
        return (
            f"{name} fraction of {found.coding.cells} arms, |I| = {words} ({letters}), resolution {resolution}; {clean}"
        )
    whole = "every combination of levels"
    if results.plan.design in ("blocks", "until"):
        batches = results.runs.groupby("seed").size()
        whole += f", spread over {len(batches)} batches of {batches.max()} runs with a seed each"
    kinds = {"full": whole, "arms": _choice(results)}
    return f"{kinds.get(found.kind, found.kind)}; the effect of a factor is its {found.estimand}"


def _choice(results: Results) -> str:
    """Which arms are missing from the design that was asked for, and the rules of tricks that they would break."""
    plan, found = results.plan, results.design
    if not plan.design:
        return "a choice of arms"
    whole = "every combination of levels" if plan.design == "full" else f"a {plan.design} design"
    count = f" {found.coding.cells - len(found.arms)}" if plan.design == "full" else " some of its arms"
    if plan.follow_up:
        return f"a {plan.design} fraction and {len(plan.follow_up)} arms that follow it up"
    rules = ", ".join(dict.fromkeys(plan.left_out.values()))
    return f"{whole} but{count}" + (f" ({rules})" if rules else "")


def runs(results: Results) -> str:
    """Runs by state, and what those that are missing cost."""
    count = len(results.plan.seeds)
    hours = results.runs["train_seconds"].sum() / 3600
    spent = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
    text = f"{len(results.arms)} arms, {count} seed{'s' * (count > 1)}: {states(results)}, {spent} of training"
    if bool((results.runs["state"] == "finished").all()):
        return text
    ratio, effects, pairs = precision_loss(results.runs, results.names, MAIN, results.plan.design)
    cost = "" if np.isnan(ratio) else f". Their standard errors are {ratio:.2f} times those of the whole grid"
    lost = [f"{effects} effects"] * (effects > 0) + [f"{pairs} interactions"] * (pairs > 0)
    return f"{text}{FITTED}{cost}" + (f"; {' and '.join(lost)} cannot be estimated yet" if lost else "")


def noise(results: Results) -> str:
    """The noise of a run, how it was measured, and how much effects vary between seeds."""
    noise = results.analysis.noise
    if np.isnan(noise.sd):
        return "cannot be measured: no finished run is left over; intervals are empty"
    sd, source = percent(float(noise.sd)), f"{noise.source}, {noise.df:.3g} df"
    text = f"standard deviation of a single run {sd} points of mAP ({source})"
    analysis = results.analysis
    if not analysis.over_seeds:
        return text + "; how much effects vary from seed to seed cannot be seen"
    varies = percent(float(np.sqrt(analysis.varying.between_seeds(analysis.between_runs))))
    own = [
        results.titles[term.name]
        for term, loud in zip(results.terms, analysis.varying.stands_out, strict=True)
        if bool(loud)
    ]
    text += f"; a factor's effect varies by {varies} points from seed to seed ({analysis.varying.pooled.df} df)"
    return text + (f", that of {' and '.join(own)} by its own amount" if own else "")


def seeds(results: Results) -> list[tuple[str, str]]:
    """Whether pairing the seeds pays; no line where it cannot be measured."""
    found = results.pairing
    if np.isnan(found.correlation):
        return []
    value, low, high = (
        f"{number + 0.0:.2f}".replace("-", "−") for number in (found.correlation, found.low, found.high)
    )
    text = f"correlation of two arms over {found.seeds} seeds {value} [{low}, {high}]"
    if found.low > 0:
        return [
            ("Paired seeds", f"{text}: pairing pays, without it {found.gain:.1f} times as many runs would be needed")
        ]
    return [("Paired seeds", f"{text}: not shown to pay")]


def looks(results: Results) -> list[tuple[str, str]]:
    """How often a grid that grows was looked at, which its intervals count; no line of other grids."""
    if not results.looks:
        return []
    last = results.looks[-1]
    ends = {"": "another batch follows", "decided": "every factor is decided", "narrow": "every interval is narrow"}
    why = ends.get(last.stop, "as many runs as were allowed")
    return [("Looks", f"{last.look}, the last at {last.runs} runs: {why}; the intervals hold over all of them")]


def placebo(results: Results) -> list[tuple[str, str]]:
    """What an effect of nothing looks like here; no line in a grid without a placebo."""
    found = results.placebo
    if found is None:
        return []
    low, high = float(found.low[0]), float(found.high[0])
    text = f"{signed(MAIN, float(found.effect[0]))} {interval(MAIN, low, high)}, p {probability(float(found.p[0]))}"
    return [("Placebo", f"{text}: other random streams and nothing else, so this is what no effect looks like")]


def ends(results: Results) -> list[tuple[str, str]]:
    """The arms with nothing and with everything on, and their difference; no line where there is no such arm."""
    k = len(results.names)
    none, every = "0" * k, "1" * k
    if not results.design.coding.switches or not {none, every} <= set(results.analysis.position):
        return []
    found = results.analysis.infer_arms([none, every], np.array([[1.0, 0], [0, 1], [-1, 1]]))
    means = [percent(float(value)) for value in found.effect[:2]]
    gap = f"{signed(MAIN, float(found.effect[2]))} {interval(MAIN, float(found.low[2]), float(found.high[2]))}"
    return [("None and all", f"{means[0]} and {means[1]} % mAP, difference {gap}")]


def best(results: Results) -> str:
    """The arm of the highest mean and how many others are not told apart from it."""
    arm, ties = results.best
    row = results.arms.to_dict("index")[arm]
    text = (
        f"{arm} ({describe(results.plan.factors, arm)}), {percent(row['mAP'])} % mAP, {percent(row['rank1'])} % rank-1"
    )
    if ties < 0:
        return text
    told = {0: "told apart from every other arm", 1: "1 other arm is not told apart from it"}
    return f"{text}; {told.get(ties, f'{ties} other arms are not told apart from it')}"
