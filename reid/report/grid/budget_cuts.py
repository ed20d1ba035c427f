"""Runs that a budget ended early: counted and shown apart, never averaged in nor dropped in silence."""

import pandas as pd

from reid.analysis.results import Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import percent
from reid.report.elements import Alert, Element, Section, Table, left, right


def censored_warning(results: Results) -> list[Element]:
    """For the first page: how many runs were cut, and what that does to the effects; nothing where none was."""
    cut = _cut(results)
    if cut.empty:
        return []
    first, last = int(cut["cut_epoch"].min()), int(cut["cut_epoch"].max())
    epochs = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    hidden = int((results.arms["finished"] == 0).loc[cut["arm"].unique()].sum())
    arms = f"; {hidden} of their arms have no finished run at all" if hidden else ""
    return [
        Alert(
            f"{len(cut)} of {len(results.runs)} runs were cut by the budget at {epochs}, because they looked worse "
            f"than others{arms}. The effects rest on the runs that were let finish, which are not a fair sample: they "
            "are biased, most likely towards no difference, and their intervals do not cover that. Trust the order of "
            "the best arms more than the size of any effect."
        )
    ]


def censored_section(results: Results) -> list[Section]:
    """Every run that was cut, with its last mAP beside what the finished runs reached; no page where none was."""
    cut = _cut(results)
    if cut.empty:
        return []
    means = results.arms["mAP"].to_dict()
    rows = [
        [
            row["signature"],
            row["arm"],
            str(row["seed"]),
            f"{row['cut_epoch']:.0f}",
            percent(row["cut_mAP"]),
            percent(means[row["arm"]]),
        ]
        for _, row in each_row(cut)
    ]
    caption = (
        "Runs that the budget ended, with the mAP of their last evaluation. It is the mAP of a training cut short, not "
        "comparable with a finished run's, and part of no estimate. Right: the mean of the finished runs of the same "
        "arm, a dash where there is none."
    )
    heads = [
        left("Run"),
        left("Arm"),
        right("seed"),
        right("cut at epoch"),
        right("last mAP, %"),
        right("arm's finished runs, %"),
    ]
    return [Section("Cut by the budget", [Table(heads, rows, caption)])]


def _cut(results: Results) -> pd.DataFrame:
    return results.runs[results.runs["state"] == "censored"]
