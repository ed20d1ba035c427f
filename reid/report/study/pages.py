"""What a study's report says, page by page."""

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from reid.analysis.runs_table import each_row
from reid.analysis.study_table import Study
from reid.metrics.formatting import MISSING, number, percent, probability
from reid.report import style
from reid.report.document import document
from reid.report.elements import (
    Code,
    Document,
    Element,
    Facts,
    Figure,
    Section,
    Table,
    Text,
    centred,
    left,
    right,
    wide,
)
from reid.report.study import figures as drawn
from reid.report.study import landscape
from reid.report.study.knob_axis import KnobAxis, knob_axes
from reid.report.study.verdict import METHODS, headline, measured_or_dash, progress, shares_by_method, verdict
from reid.store.study import KnobImportance

FEWEST_FOR_MAPS = 20
MOST_MAPS = 3


def describe_study(study: Study, folder: Path) -> Document:
    """What the report says; its figures are written to `folder`."""
    return document(
        study.record,
        headline(study),
        verdict(study, folder),
        [
            history(study, folder),
            parallel(study, folder),
            *maps(study, folder),
            slices(study, folder),
            importances(study, folder),
            *intermediate(study, folder),
            *pareto(study, folder),
            trials(study),
            provenance(study),
        ],
    )


def history(study: Study, folder: Path) -> Section:
    """The search as it went."""
    file = style.save(folder / "history.svg", 3.0, drawn.history(study))
    figure = Figure(
        file,
        "Trials in the order in which they were asked for, and the best so far. A pruned trial stands at the last "
        "value it reported; marks on the axis are trials without any value. The best of many noisy trials is lucky "
        f"as well as good: only fresh seeds tell how much of it is real. Trials: {progress(study)}.",
    )
    return Section("The search", [figure])


def parallel(study: Study, folder: Path) -> Section:
    file = style.save(folder / "parallel.svg", 3.4, landscape.parallel(study))
    figure = Figure(
        file,
        "A line a complete trial, through its value of every knob to what it reached; good ones are drawn last. "
        "Where the good lines run together, a knob matters. Off and words have places of their own.",
    )
    return Section("Knobs and value", [figure])


def ranked(study: Study) -> list[KnobAxis]:
    """Knobs, those of the largest shares first where they are known."""
    shares = study.shares.fanova if study.shares else {}
    return sorted(knob_axes(study), key=lambda one: -shares[one.name].importance if one.name in shares else 0.0)


def maps(study: Study, folder: Path) -> list[Section]:
    """Maps of a few pairs of knobs; none for a single knob."""
    pairs = list(combinations(ranked(study)[:MOST_MAPS], 2))[:MOST_MAPS]
    if not pairs:
        return []
    title = "Pairs of knobs"
    if len(study.complete) < FEWEST_FOR_MAPS:
        few = (
            f"No map: {len(study.complete)} complete trials are fewer than {FEWEST_FOR_MAPS} and would leave it blank."
        )
        return [Section(title, [Text(few)])]
    file = style.save(folder / "maps.svg", 2.6, landscape.maps(study, pairs))
    how = "the knobs of the largest shares" if study.shares else "the first knobs of the study"
    figure = Figure(
        file,
        f"Pairs of {how}. Colour: average of the trials near a point, with Gaussian weights of a standard "
        "deviation of a tenth of each range; other knobs lie as they were tried, and choices and off are "
        "averaged by themselves. Blank: fewer than one trial's weight near by; nothing is extrapolated. The "
        "average is flatter than the truth, and follows where the sampler went.",
    )
    return [Section(title, [figure])]


def slices(study: Study, folder: Path) -> Section:
    file = style.save(folder / "slices.svg", 0.5 + 1.8 * len(study.objectives), landscape.slices(study))
    figure = Figure(
        file,
        f"Complete trials over each knob. Dashed: the paper's default; solid: the {study.winner_words}. Other "
        "knobs vary between the points, so a knob that seems to do nothing may still matter with others.",
    )
    return Section("Knob by knob", [figure])


def importances(study: Study, folder: Path) -> Section:
    """Both methods' shares for every objective, or why there are none."""
    title, found = "Which knob matters", study.importances
    if found is None:
        return Section(title, [Text("Measured when the search ends.")])
    if found.refused is not None:
        return Section(title, [Text(f"Not told: {found.refused}.")])
    titles = {one.name: one.title for one in knob_axes(study)}
    shown: list[Element] = []
    for i, (objective, of_objective) in enumerate(zip(study.objectives, found.by_objective, strict=True)):
        shares = shares_by_method(of_objective)
        height = 0.7 + 0.3 * len(shares["fanova"])
        file = style.save(folder / f"importances{i}.svg", height, drawn.importances(study, shares))
        rows = [
            [titles.get(name, name), *(cell for m in METHODS for cell in _cells(shares[m][name]))]
            for name in sorted(shares["fanova"], key=lambda name: -shares["fanova"][name].importance)
        ]
        about = f"For {objective.words}: " if len(study.objectives) > 1 else ""
        caption = (
            f"{about}shares of {found.n_trials} complete trials with 95 % bootstrap intervals over the trials. "
            "fANOVA: share of the variance over the whole space, by a random forest. PED-ANOVA: what tells the best "
            "tenth of the trials from the others. They answer different questions; where they differ, neither is sure. "
            "Shares sum to 1 of noise too. p: how often values dealt to the trials at random give any knob as much, "
            "corrected for both methods; hollow: not told from noise (p above 0.05, or not tested)."
        )
        shown.append(Figure(file, caption))
        heads = [head for name in METHODS.values() for head in (right(f"{name}, %"), centred("95 %"), right("p"))]
        shown.append(Table([wide("Knob"), *heads], rows))
    return Section(title, shown)


def _cells(one: KnobImportance) -> list[str]:
    return [
        percent(one.importance),
        f"[{percent(one.low)}, {percent(one.high)}]",
        probability(math.nan if one.p is None else one.p),
    ]


def intermediate(study: Study, folder: Path) -> list[Section]:
    """What trials reported on their way; no page where none did."""
    if not any(study.intermediate.values()) or len(study.objectives) > 1:
        return []
    file = style.save(folder / "intermediate.svg", 3.2, drawn.intermediate(study))
    figure = Figure(
        file,
        "What each trial reported at every step: validation values by epoch, or the running mean over its "
        "seeds where the pruner works across seeds. Lines that end early were pruned or diverged.",
    )
    return [Section("On the way", [figure])]


def pareto(study: Study, folder: Path) -> list[Section]:
    """Two objectives against each other; no page for one."""
    if len(study.objectives) < 2:
        return []
    file = style.save(folder / "pareto.svg", 3.4, drawn.pareto(study))
    rows = [
        [
            str(n),
            *(measured_or_dash(one.metric, study.value(n, one.metric)) for one in study.objectives[:2]),
            *(one.words(values[one.name]) for one in knob_axes(study)),
        ]
        for n in study.front
        for values in [study.trials.loc[n].to_dict()]
    ]
    heads = [
        right("Trial"),
        *(right(one.head) for one in study.objectives[:2]),
        *(right(one.title) for one in knob_axes(study)),
    ]
    figure = Figure(
        file,
        "Complete trials by both objectives. The line joins the front: the trials that no other beats on both. "
        "Values carry the noise of their seeds, so the front is better than its members would be again.",
    )
    return [
        Section(
            "Two objectives",
            [
                figure,
                Table(heads, rows, "The front, best on the first objective first."),
            ],
        )
    ]


def trials(study: Study) -> Section:
    """Every trial with its state."""
    goals = [right(one.head) for one in study.objectives]
    titles = [right(one.title.replace(": ", ":\n")) for one in knob_axes(study)]
    rows = [
        [
            str(n),
            row["state"],
            *(measured_or_dash(one.metric, row[one.metric]) for one in study.objectives),
            *(one.words(row[one.name]) for one in knob_axes(study)),
            str(row["seeds"]),
            number(row["seconds"]),
            row["reason"] or "",
        ]
        for n, row in each_row(study.trials)
    ]
    heads = [right("#"), left("State"), *goals, *titles, right("runs"), right("seconds"), wide("Reason")]
    caption = "Every trial in the order in which it was asked for, with the validation value it reached."
    return Section("All trials", [Table(heads, rows, caption)])


def provenance(study: Study) -> Section:
    """What the numbers were made from, and the command that makes them again."""
    asked, data = study.record, study.record.dataset
    states = study.runs["state"].value_counts().sort_index()
    rows = [
        ("Study", f"{asked.name}, begun {asked.created}"),
        ("Code hash", ", ".join(sorted(study.runs["code"].dropna().unique())) or MISSING),
        (
            "Data set",
            f"{data.name} ({data.layout}), {data.fingerprint or MISSING}",
        ),
        ("Ranking", "; ".join(sorted(study.runs["protocol"].dropna().unique())) or MISSING),
        ("Runs", ", ".join(f"{count} {state}" for state, count in states.items()) or "none"),
        ("Storage", asked.storage or MISSING),
        ("Seeds", f"{_list(asked.seeds)} a trial; fresh {_list(asked.fresh_seeds)}"),
    ]
    shown: list[Element] = [
        Facts(rows),
        Text("The command that runs this study, and goes on with it:"),
        Code(asked.command),
    ]
    if asked.yaml:
        shown += [Text("The study's file:"), Code(asked.yaml.rstrip())]
    return Section("Provenance", shown)


def _list(values: Sequence[int]) -> str:
    return ", ".join(map(str, values)) or MISSING
