"""The page of runs that are evaluated on several data sets: at home, across, and beside the papers' tables."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from reid.analysis.published_tables import published_ladder
from reid.analysis.results import MAIN, Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import MISSING, percent, signed
from reid.report import style
from reid.report.elements import Element, Figure, Section, Table, centred, right, wide
from reid.report.grid.cells import basis, effect_cells
from reid.tricks.paper import PAPER_TRICKS

ACROSS = "mAP_cross"
TRAIN_ON = "train_on"
DIRECTIONS = {"Market → Duke": "M_to_D", "Duke → Market": "D_to_M"}
HOMES = {"Market": "market1501", "Duke": "dukemtmc"}
ERASING = "random_erasing"


def cross_domain_section(results: Results, folder: Path) -> list[Section]:
    """Scores by set and effects at home and across; no page where nothing was evaluated on a set not trained on."""
    if ACROSS not in results.extras:
        return []
    scores = _scores(results)
    home = bool(scores["home"].any())
    parts = [*_effects(results, folder, home), _table(results, scores)]
    if set(results.names) & set(PAPER_TRICKS):
        parts.append(_published())
    return [Section("Across domains", [*parts])]


def _scores(results: Results) -> pd.DataFrame:
    """A row a finished run and set: arm, trained (in words), set, home (whether trained on), mAP, rank1."""
    finished = results.runs.loc[results.runs["state"] == "finished", ["signature", "arm"]]
    rows = []
    for signature, arm in finished.itertuples(index=False):
        asked, result = results.asked(signature), results.grid.run(signature).read_result()
        if asked and result:
            trained = " + ".join(asked.dataset.train_on)
            for name, found in result.domains.items():
                rows.append((arm, trained, name, found.trained_on, found.mAP, found.rank1))
    return pd.DataFrame(rows, columns=["arm", "trained", "set", "home", "mAP", "rank1"])


def _effects(results: Results, folder: Path, home: bool) -> list[Element]:
    """Each factor's effect on mAP at home beside that across, and what the papers' ladders add by it."""
    names = [term.name for term in results.terms if results.names[term.factor] != TRAIN_ON]
    if not names:
        return []
    titles = {name: results.titles[name] for name in names}
    metrics = {"home": MAIN, "across": ACROSS} if home else {"across": ACROSS}
    series = [
        (key, results.effects[metric].loc[names].rename(index=titles), ("effect", "low", "high"))
        for key, metric in metrics.items()
    ]
    steps = _steps()
    theirs = {column: steps[column] for column in (*HOMES, *DIRECTIONS)} if set(names) & set(PAPER_TRICKS) else {}
    rows = [
        [
            titles[name],
            *(cell for metric in metrics.values() for cell in effect_cells(results, metric, name)[:2]),
            *(signed(MAIN, found.get(name, np.nan)) for found in theirs.values()),
        ]
        for name in names
    ]
    heads = [wide("Factor"), *(head for key in metrics for head in (right(key), centred("95 %")))]
    caption = (
        "Effects on mAP, percentage points: at home, on the set that a run was trained on, and across, the mean over "
        "the sets that it was not trained on. "
        + (
            "Right: what the trick adds in the published ladders (one run a rung), on Market-1501 and DukeMTMC-reID, "
            "and trained on the one and evaluated on the other. "
            if theirs
            else ""
        )
        + basis(results)
    )
    figure = Figure(
        style.save(folder / "domains.svg", 0.9 + 0.3 * len(names), style.contrasts(series)),
        "Effect of each factor on mAP on the set that was trained on and on others, with 95 % intervals. A trick whose "
        "two points lie on two sides of the line helps at home by learning what does not carry over.",
    )
    return [figure, Table([*heads, *(right(column) for column in theirs)], rows, caption)]


def _table(results: Results, scores: pd.DataFrame) -> Table:
    """mAP and rank-1 on every set, a row an arm; a column for every set trained on where that is a factor."""
    place = results.names.index(TRAIN_ON) if TRAIN_ON in results.names else None
    others = [factor for factor in results.plan.factors if factor.name != TRAIN_ON]
    scores["label"] = [arm if place is None else arm[:place] + arm[place + 1 :] for arm in scores["arm"]]
    columns = scores[["trained", "set", "home"]].drop_duplicates().to_dict("records")
    means = scores.groupby(["label", "trained", "set"])[["mAP", "rank1"]].mean()
    found = {key: (row["mAP"], row["rank1"]) for key, row in each_row(means)}
    rows = [
        [
            label,
            *(
                " / ".join(percent(value) for value in found[key])
                if (key := (label, c["trained"], c["set"])) in found
                else MISSING
                for c in columns
            ),
        ]
        for label in sorted(scores["label"].unique())
    ]
    heads = [right(f"{column['trained']} → {column['set']}{' (home)' if column['home'] else ''}") for column in columns]
    letters = ", ".join(factor.head for factor in others)
    return Table(
        [wide("Arm"), *heads],
        rows,
        "mAP / rank-1, %: trained on → evaluated on; plain means over finished runs. The digits of an arm are, in "
        f"order: {letters}.",
    )


def _steps() -> dict[str, dict[str, float]]:
    """What each trick adds to mAP in the published ladders, fractions, by column of the page."""
    same = published_ladder("cumulative_ablation_same_domain")
    across = published_ladder("cumulative_ablation_cross_domain")
    columns = {title: same[f"{key}_mAP"] for title, key in HOMES.items()}
    columns |= {title: across[f"{key}_mAP"] for title, key in DIRECTIONS.items()}
    return {
        title: {name: float(values[name] - values[before]) / 100 for before, name in pairwise(("none", *PAPER_TRICKS))}
        for title, values in columns.items()
    }


def _published() -> Table:
    """The papers' ladders, within each set and across, as published."""
    same = published_ladder("cumulative_ablation_same_domain")
    across = published_ladder("cumulative_ablation_cross_domain")
    rows = []
    for rung, row in each_row(across):
        at_home = [
            f"{same[f'{key}_mAP'][rung]:.1f} / {same[f'{key}_rank1'][rung]:.1f}" if rung in same.index else MISSING
            for key in HOMES.values()
        ]
        away = [f"{row[f'{key}_mAP']:.1f} / {row[f'{key}_rank1']:.1f}" for key in DIRECTIONS.values()]
        rows.append([str(row["model_cumulative"]), *at_home, *away])
    loss = [_steps()[title][ERASING] * 100 for title in DIRECTIONS]
    return Table(
        [wide("Published"), *(right(title) for title in (*HOMES, *DIRECTIONS))],
        rows,
        "mAP / rank-1, %, of Luo et al. 2019, one run a row: tables 1 (as in the README of "
        "michuanhaohao/reid-strong-baseline, 3da7e6f) and 3 of arXiv:1903.07071. Across domains random erasing costs "
        f"{_points(loss[0])} and {_points(loss[1])} points of mAP in the ladder; the last row has all tricks but it.",
    )


def _points(value: float) -> str:
    return f"{abs(value):.1f}"
