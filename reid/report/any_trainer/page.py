"""The page: the verdict, its figure, what it rests on, and how the table was read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reid.analysis.any_trainer.asked import METRIC
from reid.analysis.any_trainer.verdict import AnyVerdict
from reid.analysis.any_trainer.words import HEADS, headline, rows
from reid.analysis.runs_table import each_row
from reid.analysis.verdict import Kind
from reid.files import atomic
from reid.metrics.digits import Format
from reid.metrics.formatting import probability
from reid.report import style
from reid.report.elements import (
    Alert,
    Document,
    Facts,
    Figure,
    Lines,
    Section,
    Table,
    Text,
    centred,
    left,
    right,
    wide,
)
from reid.report.write import Place, file_kind, write_files

FIGURE = "verdict.svg"
FILES = {
    "pdf": "verdict.pdf",
    "html": "verdict.html",
    "svg": FIGURE,
    "latex": "tables.tex",
    "markdown": "tables.md",
}
KINDS = (*FILES, "csv")
MOST_ARMS = 128  # that are listed


def chosen(asked: str | None, out: Path) -> list[str]:
    """The formats of a list with commas; by default the format of the file `out` names, or all that a reader needs."""
    if asked is not None:
        return [kind.strip() for kind in asked.split(",")]
    kind = file_kind(out, FILES)
    return [kind] if kind else ["pdf", "html", "svg", "csv"]


def write_verdict(found: AnyVerdict, out: Path, formats: Sequence[str]) -> list[Path]:
    """Write the verdict in `formats` (of KINDS) and return the paths written.

    `out` is a folder, or the file of one of the formats, beside which the others go. Raises InputError for formats and
    a file that do not fit.
    """
    return write_files(
        Place.of(out, formats, FILES), lambda folder: _document(found, folder), lambda folder: _tables(found, folder)
    )


def _tables(found: AnyVerdict, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    named = found.runs.table.rename(columns={METRIC: found.runs.asked.metric})
    for name, frame, index in (("effects", found.effects, True), ("runs", named, False)):
        written.append(folder / f"{name}.csv")
        with atomic(written[-1]) as temporary:
            frame.to_csv(temporary, index=index)
    return written


def _document(found: AnyVerdict, folder: Path) -> Document:
    runs = found.runs
    metric = runs.asked.metric
    titled = found.effects.rename(index=runs.titles)
    drawn = style.forest(titled, found.matters, f"effect on {metric}", scale=1, unit="")
    style.save(folder / FIGURE, 0.75 + 0.28 * len(titled), drawn)
    direction = "higher" if runs.higher_is_better else "lower"
    columns = [left(HEADS[0]), right(HEADS[1]), centred(HEADS[2]), right(HEADS[3]), wide(HEADS[4])]
    matters = (
        "No factor is said to have no effect: --matters does not say from how much on one matters."
        if found.matters is None
        else f"One inside the grey band has no effect that matters, which is one of less than {found.matters:g}."
    )
    return Document(
        title=f"What changes {metric}",
        name=runs.name,
        question=f"{', '.join(runs.factors)}: which of them changes {metric}, by how much, how sure? "
        f"{direction.capitalize()} is better. Effects are in the unit of the table.",
        created=runs.created,
        headline=headline(found),
        verdict=[
            *([Alert(" ".join(notes))] if (notes := [*_cautions(found), *runs.notes]) else []),
            Table(columns, rows(found)),
            Figure(
                FIGURE,
                f"Effect of each factor on {metric}, with intervals that hold for all factors together in 95 %. One "
                f"clear of the line has a sure sign. {matters}",
            ),
            Facts(_facts(found)),
        ],
        sections=[_reading(found), *_pairs(found), _arms(found)],
    )


def _cautions(found: AnyVerdict) -> list[str]:
    """What a reader must know of the verdict itself."""
    runs = found.runs
    cautions = []
    if found.constant:
        cautions.append(f"All runs have the same {runs.asked.metric}: there is nothing to compare.")
    elif (found.effects["kind"] == Kind.ONE_SEED).any():
        cautions.append("The runs are of one seed: what is said holds for this seed, and another may say the opposite.")
    if found.pairs_nil:
        cautions.append("Interactions of two factors are taken to be nil, as asked by --pairs-nil.")
    return cautions


def _best(found: AnyVerdict) -> Lines:
    if found.best is None:
        return []
    arm, ties = found.best
    row = found.arms.to_dict("index")[arm]
    form = _of_arms(found)
    levels = ", ".join(f"{name} {row[name]}" for name in found.runs.factors)
    told = {-1: "", 0: "; told apart from every other", 1: "; 1 other is not told apart from it"}
    words = told.get(ties, f"; {ties} others are not told apart from it")
    return [("Best", f"{levels}: {form.plain(row['mean'])}{words}")]


def _facts(found: AnyVerdict) -> Lines:
    runs = found.runs
    states = runs.table["state"].value_counts()
    others = "".join(f", {count} {state}" for state, count in states.items() if state != "finished")
    noise = found.analysis.noise
    form = Format.of([float(noise.sd)])
    measured = f"standard deviation of a single run {form.plain(float(noise.sd))} ({noise.source}, {noise.df:.3g} df)"
    return [
        ("Runs", f"{states.get('finished', 0)} of {len(runs.table)} finished{others}; {runs.seeding}"),
        *_best(found),
        ("Design", _design(found)),
        ("Noise", measured if np.isfinite(noise.sd) else "cannot be measured: no run is left over; add a seed"),
    ]


def _design(found: AnyVerdict) -> str:
    design, arms = found.design, found.arms["finished"]
    words = {
        "full": "every combination of levels",
        "fraction": "a regular fraction",
        "arms": "a choice of combinations that follows no plan known here; effects are fitted by least squares",
    }
    least, most = int(arms.min()), int(arms.max())
    counts = str(least) if least == most else f"{least} to {most}"
    balance = f"{counts} finished run{'s' * (most > 1)} each" + ", unbalanced" * (least < most)
    return (
        f"{words.get(design.kind, design.kind)}: {len(design.arms)} of {design.coding.cells} combinations, {balance}; "
        f"the effect of a factor is its {design.estimand}"
    )


def _reading(found: AnyVerdict) -> Section:
    runs = found.runs
    lines = [(what, f"column {head}") for what, head in runs.heads.items()]
    levels = [(f"levels of {name}", ", ".join(of.levels)) for name, of in runs.levels.items()]
    return Section(
        "How the table was read",
        [
            Text(
                "The first level of a factor is its base: a word for off (off, false, no, 0, none, -), else the "
                "smallest number, else what comes first in the table. An effect goes from the base to the level named."
            ),
            Facts([("table", runs.where), *lines, *levels]),
            *(Text(spelling) for spelling in runs.spellings),
        ],
    )


def _pairs(found: AnyVerdict) -> list[Section]:
    """How factors change each other's effects; where they are taken to be nil there is none."""
    frame = found.interactions
    if found.pairs_nil or frame["effect"].isna().all():
        return []
    form, titles = Format.of(((frame["high"] - frame["low"]) / 2).tolist()), found.runs.titles
    cells = [
        [
            *(titles[name] for name in pair),
            form.signed(row["effect"]),
            form.interval(row["low"], row["high"]),
            probability(row["q"]),
        ]
        for pair, row in each_row(frame)
    ]
    columns = [wide("Factor"), wide("with"), right("interaction"), centred("95 %"), right("q")]
    caption = (
        "Half of what the effect of the first gains when the second is at its level. Exploratory: intervals hold for "
        "one pair each, q is the false discovery rate over all pairs."
    )
    return [Section("Interactions", [Table(columns, cells, caption)])]


def _of_arms(found: AnyVerdict) -> Format:
    """How means of arms are printed."""
    return Format.of([float(found.arms["sd"].median()), float(found.analysis.noise.sd)], found.arms["mean"].tolist())


def _arms(found: AnyVerdict) -> Section:
    frame, factors = found.arms, found.runs.factors
    form = _of_arms(found)
    cells = [
        [
            *(str(row[name]) for name in factors),
            str(row["runs"]),
            str(row["finished"]),
            form.plain(row["mean"]),
            form.plain(row["sd"]),
        ]
        for row in frame.head(MOST_ARMS).to_dict("records")
    ]
    more = f" The first {MOST_ARMS} of {len(frame)} are shown." if len(frame) > MOST_ARMS else ""
    heads = [*(left(name) for name in factors), right("runs"), right("finished"), right("mean"), right("sd")]
    return Section("Combinations", [Table(heads, cells, f"Plain means of {found.runs.asked.metric}.{more}")])
