"""The verdict as a table's rows, and in a paragraph."""

from reid.analysis.any_trainer.verdict import AnyVerdict
from reid.analysis.runs_table import each_row
from reid.analysis.verdict import headline as headline_of
from reid.metrics.digits import Format
from reid.metrics.formatting import probability

HEADS = ("Factor", "effect", "95 % interval", "p (Holm)", "Verdict")


def format_of(found: AnyVerdict) -> Format:
    """How the effects are printed."""
    half = (found.effects["high"] - found.effects["low"]) / 2
    return Format.of(half.tolist(), found.effects["effect"].tolist())


def rows(found: AnyVerdict) -> list[list[str]]:
    """A row a factor or level, in the order of HEADS."""
    form, titles = format_of(found), found.runs.titles
    return [
        [
            titles[name],
            form.signed(row["effect"]),
            form.interval(row["low"], row["high"]),
            probability(row["p_holm"]),
            row["verdict"],
        ]
        for name, row in each_row(found.effects)
    ]


def headline(found: AnyVerdict) -> str:
    """The verdicts in one paragraph, best effect first."""
    ordered = found.effects.sort_values("effect", ascending=not found.runs.higher_is_better)
    return headline_of(ordered, found.runs.titles, format_of(found).signed)
