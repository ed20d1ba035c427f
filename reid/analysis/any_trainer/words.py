"""The verdict as a table's rows, and in a paragraph."""

from reid.analysis.any_trainer.verdict import AnyVerdict
from reid.analysis.runs_table import each_row
from reid.analysis.verdict import Kind
from reid.metrics.digits import Format
from reid.metrics.formatting import probability

HEADS = ("Factor", "effect", "95 % interval", "p (Holm)", "Verdict")
GROUPS = {
    Kind.HELPS: "Helps",
    Kind.HURTS: "Hurts",
    Kind.NO_EFFECT: "No effect that matters",
    Kind.UNDECIDED: "Cannot tell yet",
    Kind.ONE_SEED: "Seen in one seed, not known of others",
    Kind.NOT_ESTIMABLE: "Not estimable",
}


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
    form, titles = format_of(found), found.runs.titles
    ordered = found.effects.sort_values("effect", ascending=not found.runs.higher_is_better)
    parts = []
    for kind, group in GROUPS.items():
        members = [(name, row["effect"]) for name, row in each_row(ordered) if row["kind"] == kind]
        if members:
            words = (titles[name] + f" ({form.signed(value)})" * (value == value) for name, value in members)
            parts.append(f"{group}: {', '.join(words)}.")
    return " ".join(parts)
