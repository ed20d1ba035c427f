"""The first page of a study's report: is tuning worth it, by how much, how sure, and which knob matters."""

from pathlib import Path

import numpy as np

from reid.analysis.study_table import Study
from reid.metrics.formatting import MISSING, interval, measured, percent, probability, signed
from reid.metrics.spec import is_fraction, unit_of
from reid.report import style
from reid.report.document import mixture_alerts
from reid.report.elements import Element, Facts, Figure, Table, centred, left, right, wide
from reid.report.study import figures as drawn
from reid.report.study.knob_axis import knob_axes
from reid.statistics.paired import Outcome
from reid.store.measured import metric_title
from reid.store.study import KnobImportance, ObjectiveImportance, StudyRecord

METHODS = {"fanova": "fANOVA", "ped_anova": "PED-ANOVA"}
WHERE = {"fanova": "over the whole space", "ped_anova": "among the best tenth"}


def headline(study: Study) -> str:
    """Gain, optimism and the knob that matters, a sentence each."""
    return " ".join([gain(study), *optimism(study), knob_that_matters(study)])


def gain(study: Study) -> str:
    """What the comparison says; where there is none, how far the search is."""
    found, comparison = study.difference, study.comparison
    if found is None or comparison is None:
        best = study.value(study.best, study.objectives[0].metric)
        return (
            f"Not compared yet: {progress(study)}. Best so far: trial {study.best} with "
            f"{value_words(study.objectives[0].metric, best)} on the validation set, a number that the search "
            "itself has chosen and that proves nothing."
        )
    if comparison.winner.params == comparison.defaults.params:
        return "Nothing gained: the best trial has the paper's defaults."
    metric, outcome = comparison.metric, found.outcome(study.maximize)
    lost = f"{comparison.divergence}. " if comparison.divergence else ""
    what = f"{signed(metric, found.difference)} {unit(metric)} over the paper's defaults"
    if lost and found.pairs:
        what += f" where neither diverged, in {found.pairs} of {found.seeds} seeds"
    elif lost:
        what = "with no seed did neither diverge"
    elif found.by_ranks:
        what += ", the same with every seed"
    if outcome == Outcome.CANNOT_TELL:
        return f"{lost}Cannot tell yet whether tuning pays: {what}, and {found.obstacle}."
    span = f"{interval(metric, found.low, found.high)}, p {p_words(found.p)}, {found.pairs} paired fresh seeds"
    if found.by_ranks:
        span = f"p {p_words(found.p)} by the ranks of all runs{', one that diverged being the worst' if lost else ''}"
    if comparison.looks > 1:
        span += f", times {comparison.looks}, as the study was compared {comparison.looks} times"
    if outcome == Outcome.NOT_TOLD_APART:
        return f"{lost}No gain shown: {what}{'' if found.by_ranks else ' is within the noise of seeds'} ({span})."
    start = "Tuning pays" if outcome == Outcome.BETTER else "Tuning hurts: the winner is worse"
    return f"{lost}{start}: {what} ({span})."


def optimism(study: Study) -> list[str]:
    """How much more the search promised than the winner's fresh seeds gave."""
    if study.comparison is None or study.comparison.optimism is None:
        return []
    metric, size, again = study.comparison.metric, study.comparison.optimism, study.comparison.rerun
    best = value_words(metric, study.comparison.validation_best)
    known = f" ({again.diverged} diverged and are not in it)" if None in again.values else ""
    if signed(metric, size) == "0.0":
        return [f"The search's own best value, {best}, is what the same knobs gave with fresh seeds{known}."]
    gap = f"{measured(metric, abs(size))} {unit(metric)} {'better' if size > 0 else 'worse'}"
    return [f"The search's own best value, {best}, was {gap} than what the same knobs gave with fresh seeds{known}."]


def knob_that_matters(study: Study) -> str:
    """The knob of the largest share, or why that is not told."""
    found = study.importances
    if found is None:
        return "Which knob matters is measured when the search ends."
    if found.refused is not None:
        return f"Which knob matters is not told: {found.refused}."
    shares = shares_by_method(found)
    if all(one.p is None for knobs in shares.values() for one in knobs.values()):
        return "Which knob matters is not told: the shares were not tested against noise; `reid tune` tests them now."
    told = {m: [name for name, one in knobs.items() if one.is_told] for m, knobs in shares.items()}
    first = {m: max(names, key=lambda name: shares[m][name].importance) for m, names in told.items() if names}
    if not first:
        return "No knob is told from noise: values dealt to the trials at random give shares as large."
    titles = {one.name: one.title for one in knob_axes(study)}
    words = {m: f"{titles[name]} {WHERE[m]} ({share(shares[m][name])})" for m, name in first.items()}
    if len(first) == 1:
        (method,) = first
        other = next(where for m, where in WHERE.items() if m != method)
        return f"What matters most is {words[method]}; {other} no knob is told from noise."
    if first["fanova"] == first["ped_anova"]:
        return f"{titles[first['fanova']]} matters most ({share(shares['fanova'][first['fanova']])} of the variance)."
    return f"Which knob matters depends on the question: {words['fanova']}, {words['ped_anova']}."


def verdict(study: Study, folder: Path) -> list[Element]:
    """The comparison, the knobs at the defaults and at the winner, and the facts behind them."""
    return [*mixture_alerts(study.mixed), *compared(study, folder), knobs(study), Facts(facts(study))]


def compared(study: Study, folder: Path) -> list[Element]:
    """The winner against the defaults, seed by seed; nothing before the comparison."""
    found, comparison = study.difference, study.comparison
    if found is None or comparison is None:
        return []
    metric = comparison.metric
    values = np.array([comparison.defaults.values, comparison.winner.values], dtype=float)
    pairs = values[:, ~np.isnan(values).any(axis=0)]
    row = [
        metric_title(metric),
        *(value_words(metric, float(side.mean())) if found.pairs else MISSING for side in pairs),
        signed(metric, found.difference),
        interval(metric, found.low, found.high),
        probability(found.p),
        str(found.pairs),
    ]
    heads = [
        wide("On the test set"),
        right("defaults"),
        right("winner"),
        right("difference"),
        centred("95 %"),
        right("p"),
        right("pairs"),
    ]
    shown: list[Element] = [Table(heads, [row])]
    if found.pairs and comparison.winner.params != comparison.defaults.params:
        file = style.save(folder / "comparison.svg", 1.9, drawn.comparison(values, pairs, found, metric))
        real = "; clear of the line is real."
        if found.by_ranks:
            real = ", without an interval, as all pairs differ alike."
        if comparison.divergence:
            real = (
                f". {comparison.divergence}; means and difference are of the {found.pairs} seeds where neither did, "
                "and favour who diverges. So there is no interval, and p is of all runs' ranks, diverged ones last."
            )
        caption = (
            "Both sides trained anew on all training identities with fresh seeds, and ranked once on the test set, "
            f"which the search has not seen. Left: a line a seed, bold their mean. Right: their mean difference{real}"
        )
        shown.append(Figure(file, caption))
    return shown


def knobs(study: Study) -> Table:
    """A row a knob: the paper's value, the winner's, the range, and its share by both methods."""
    shares = shares_by_method(study.shares) if study.shares else {}
    rows = [
        [
            one.title,
            one.words(one.knob.default),
            one.words(study.winner[one.name]),
            one.span,
            *(
                share_or_noise(known[one.name]) if one.name in (known := shares.get(m, {})) else MISSING
                for m in METHODS
            ),
        ]
        for one in knob_axes(study)
    ]
    return Table(
        [
            wide("Knob"),
            right("paper"),
            right(study.winner_words),
            left("searched"),
            *(centred(f"share, {m}") for m in METHODS.values()),
        ],
        rows,
    )


def facts(study: Study) -> list[tuple[str, str]]:
    """The search in a few lines."""
    asked = study.record
    goals = " and ".join(f"{one.words} {'up' if one.maximize else 'down'}" for one in study.objectives)
    seeds, fresh, data = asked.seeds, asked.fresh_seeds, asked.dataset
    lines = [
        ("Search", f"{goals}; sampler {told(asked.sampler.model_dump())}, pruner {asked.pruner}"),
        ("Trials", progress(study)),
        ("Seeds", f"{len(seeds)} a trial, averaged; {len(fresh)} fresh ones for the comparison"),
        ("Data", f"{data.name}, fingerprint {data.fingerprint or MISSING}; {held_out(asked)}"),
    ]
    if len(study.objectives) > 1:
        lines.append(("Front", f"{len(study.front)} complete trials that no other beats on every objective"))
    if study.comparison is not None and study.comparison.optimism is not None:
        metric = study.comparison.metric
        size = signed(metric, study.comparison.optimism)
        words = (
            f"validation best against the winner's fresh seeds on the same validation identities: {size} "
            f"{unit(metric)}, what the best of many noisy trials owes to luck"
        )
        lines.append(("Optimism", words))
    return lines


def held_out(asked: StudyRecord) -> str:
    """Where trials are ranked."""
    return f"trials are ranked on held-out training identities ({told(asked.split.model_dump())})"


def told(value: object) -> str:
    """A setting, or some with their names, in words; those that are not set are left out."""
    if isinstance(value, dict):
        keys = {key: "" if key == "name" else f"{key.replace('_', ' ')} " for key in value if value[key] is not None}
        return ", ".join(f"{words}{told(value[key])}" for key, words in keys.items())
    return MISSING if value is None else str(value)


def progress(study: Study) -> str:
    """How many trials of those planned are in which state."""
    counts = study.trials["state"].value_counts()
    complete = counts.pop("complete")
    others = "".join(f", {count} {state}" for state, count in sorted(counts.items()))
    return f"{complete} of {study.record.trials} complete{others}"


def shares_by_method(found: ObjectiveImportance) -> dict[str, dict[str, KnobImportance]]:
    """Shares by knob, for each of METHODS."""
    return {"fanova": found.fanova, "ped_anova": found.ped_anova}


def share(one: KnobImportance) -> str:
    """An importance with its interval, in percent."""
    return f"{percent(one.importance)} % [{percent(one.low)}, {percent(one.high)}]"


def share_or_noise(one: KnobImportance) -> str:
    """The same, where it is told from what noise has."""
    return share(one) if one.is_told else "as noise" if one.p is not None else "not tested"


def unit(metric: str) -> str:
    """What follows a difference."""
    points = "points" if is_fraction(metric) else unit_of(metric).symbol
    return f"{points} of {metric_title(metric)}".strip()


def value_words(metric: str, value: float) -> str:
    """A value of a metric with its unit."""
    return MISSING if value != value else f"{measured(metric, value)} {unit_of(metric).symbol}".strip()


def measured_or_dash(metric: str, value: float) -> str:
    return MISSING if value != value else measured(metric, value)


def p_words(p: float) -> str:
    return probability(p) if p < 0.001 else f"= {probability(p)}"
