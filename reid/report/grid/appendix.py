"""The pages one looks things up in: all arms, all runs, method cards, provenance."""

from collections.abc import Sequence

import numpy as np

from reid.analysis.results import QUALITY, Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import MISSING, interval, number, percent, probability, signed
from reid.report.elements import Card, Code, Element, Facts, Section, Table, Text, centred, left, right, wide
from reid.store.run_records import Counts, DatasetRecord, Environment
from reid.tricks import TRICKS

MOST_SKIPPED = 30
CARD_LINES = ("idea", "formula", "source", "cost", "interactions")


def arms(results: Results) -> Section:
    """A row an arm: levels, runs finished, means over them and, with two seeds or more, standard deviations."""
    repeated = bool((results.arms["finished"] > 1).any())
    columns = [left("Arm"), *(centred(head) for head in results.heads.values()), right("n")]
    for title in QUALITY.values():
        columns += [right(f"{title}, %"), *([right("sd")] if repeated else [])]
    columns.append(right("seconds"))
    rows = []
    for arm, row in each_row(results.arms):
        cells = [str(arm), *(_level(row[name]) for name in results.names), str(row["finished"])]
        for metric in QUALITY:
            cells += [percent(row[metric]), *([percent(row[f"{metric}_sd"])] if repeated else [])]
        rows.append([*cells, number(row["train_seconds"])])
    caption = "Plain means over the n finished runs of each arm" + (
        ", and their standard deviations." if repeated else "."
    )
    return Section("All arms", [Table(columns, rows, f"{caption} ● on, ○ off.")])


def _level(value: object) -> str:
    """A switch as a dot, another level in words."""
    return {True: "●", False: "○"}[bool(value)] if isinstance(value, bool | np.bool_) else str(value)


def runs(results: Results) -> Section:
    """Every run with its state."""
    everything = [
        [row["signature"], row["arm"], str(row["seed"]), row["state"], percent(row["mAP"])]
        for _, row in each_row(results.runs)
    ]
    return Section(
        "All runs",
        [
            Table(
                [left("Run"), left("Arm"), right("seed"), left("State"), right("mAP, %")],
                everything,
                "Every planned run in launch order. A run's folder is named by its signature.",
                side_by_side=2,
            )
        ],
    )


def failures(results: Results) -> Section:
    """What did not finish, with the reason; and what each factor does to the rate of divergence."""
    unfinished = results.runs[~results.runs["state"].isin(["finished", "planned", "censored"])]
    shown: list[Element] = []
    if len(unfinished):
        rows = [
            [row["signature"], row["arm"], str(row["seed"]), row["state"], str(row["reason"]) or MISSING]
            for _, row in each_row(unfinished)
        ]
        heads = [left("Run"), left("Arm"), right("seed"), left("State"), wide("Reason")]
        shown.append(Table(heads, rows, "Runs that were begun and are not finished, and why."))
    diverged = int((results.runs["state"] == "diverged").sum())
    ended = diverged + int((results.runs["state"] == "finished").sum())
    if not diverged:
        shown.append(Text(f"None of the {ended} runs that ended has diverged."))
        return Section("Failures and divergences", shown)
    lines = [
        [
            results.titles[name],
            f"{row['base_diverged']} / {row['base_ended']}",
            f"{row['diverged']} / {row['ended']}",
            signed("mAP", row["effect"]),
            interval("mAP", row["low"], row["high"]),
            probability(row["p_holm"]),
        ]
        for name, row in each_row(results.divergence)
    ]
    heads = [wide("Factor"), right("without"), right("with"), right("difference"), centred("95 %"), right("p (Holm)")]
    caption = (
        f"{diverged} of {ended} runs that ended have diverged. Runs that diverged of those that ended, without and "
        "with each factor (at its first level and at the other); difference of the shares in percentage points, with "
        "Newcombe's interval and Fisher's exact test. A run that diverged has no mAP: it counts here and nowhere else."
    )
    shown.append(Table(heads, lines, caption))
    return Section("Failures and divergences", shown)


def cards(results: Results) -> list[Section]:
    """The method card of every factor that is a trick known here; no page without one."""
    shown = []
    for factor in results.plan.factors:
        if factor.name in TRICKS and factor.is_switch:
            trick = TRICKS[factor.name]
            lines = [(line.capitalize(), getattr(trick.card, line)) for line in CARD_LINES]
            shown.append(Card(f"{trick.title} ({trick.short})", [*lines, ("Sets", _settings(trick.name))]))
    return [Section("The tricks", shown)] if shown else []


def _settings(name: str) -> str:
    """The recipe fields a trick sets, at the paper's values."""
    trick = TRICKS[name]
    values = dict(trick.settings) | {knob.path: knob.default for knob in trick.knobs.values()}
    return ", ".join(f"{path} = {value}" for path, value in values.items())


def provenance(results: Results) -> Section:
    """What the numbers were made from, and the command that makes them again."""
    plan = results.plan
    asked = [run for run in map(results.asked, results.runs["signature"]) if run]
    sets: dict[str, DatasetRecord] = {}
    for dataset in (run.dataset for run in asked):
        sets |= dataset.sets or {dataset.name: dataset}
    rows = [
        ("Grid", f"{plan.name}, planned {plan.created}"),
        ("Code hash", ", ".join(sorted({run.code for run in asked}))),
        *(row for dataset in sets.values() for row in _dataset(dataset)),
        *_environment([run.environment for run in asked if run.environment]),
        *((f"Plugin {plugin.name}", f"{plugin.origin}, sha256 {plugin.sha256}") for plugin in plan.plugins),
        *((f"Arm {arm}", f"left out: {rule}") for arm, rule in plan.left_out.items()),
    ]
    shown: list[Element] = [
        Facts(rows),
        Text("The command that plans and runs this grid:"),
        Code(plan.command),
    ]
    if plan.yaml:
        shown += [Text("The grid's file:"), Code(plan.yaml.rstrip())]
    return Section("Provenance", shown)


def _dataset(dataset: DatasetRecord) -> list[tuple[str, str]]:
    """What one data set holds, what of it was left out, and what a reader should know of it."""
    held_out = "none: evaluated on the test set"
    if dataset.split:
        share = percent(dataset.split.validation_identities or np.nan)
        held_out = f"{share} % of the training identities; the test set is not used"
    skipped = [str(len(dataset.skipped)), *dataset.skipped[:MOST_SKIPPED]]
    return [
        ("Data set", f"{dataset.name} ({dataset.layout}), fingerprint {dataset.fingerprint}"),
        *((f"Data: {part}", _listed(count)) for part, count in dataset.counts.items()),
        ("Images skipped", "; ".join([*skipped, *["…"] * (len(dataset.skipped) > MOST_SKIPPED)])),
        ("Validation split", held_out),
        *(("Data: note", note) for note in dataset.notes),
    ]


def _listed(counts: Counts) -> str:
    return ", ".join(f"{value} {key}" for key, value in counts)


def _environment(environments: Sequence[Environment]) -> list[tuple[str, str]]:
    """A row a key, with every value that occurs among the runs."""
    seen: dict[str, dict[str, None]] = {}
    for environment in environments:
        for key, value in environment:
            if key in environment.model_fields_set:
                text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
                seen.setdefault(key, {})[text] = None
    return [(key.replace("_", " ").capitalize(), "; ".join(values)) for key, values in seen.items()]
