"""The page of interactions."""

from pathlib import Path

from reid.analysis.results import MAIN, Results
from reid.analysis.runs_table import each_row
from reid.metrics.formatting import interval, probability, signed
from reid.report import style
from reid.report.elements import Element, Figure, Section, Table, Text, centred, right, wide
from reid.report.grid.cells import EXPLORATORY, basis


def interactions(results: Results, folder: Path) -> list[Section]:
    """The map of all pairs, and the sums of those that are aliased; no page with a single factor."""
    found = results.interactions
    if found.empty:
        return []
    sums = _sums(results)
    if found["effect"].isna().all():
        nothing = Text(f"The finished runs do not separate any pair. {basis(results)}")
        return [Section("Interactions", [nothing, *sums])]
    main = results.analysis.infer_main().effect
    at = {term.name: value for term, value in zip(results.terms, main, strict=True)}
    clean = found[found["effect"].notna()].sort_values("effect", key=abs, ascending=False)
    rows = [
        [
            f"{results.titles[a]} × {results.titles[b]}",
            signed(MAIN, row["effect"]),
            interval(MAIN, row["low"], row["high"]),
            probability(row["q"]),
            *(f"{signed(MAIN, at[x] - row['effect'])} / {signed(MAIN, at[x] + row['effect'])}" for x in (a, b)),
        ]
        for (a, b), row in each_row(clean)
    ]
    both = [centred("first, at both\nlevels of second"), centred("second, at both\nlevels of first")]
    if not results.design.coding.switches:
        rows, both = [row[:4] for row in rows], []
    drawing = style.interaction_map(found, results.titles, results.shorts)
    left = len(found) - len(clean)
    figure = Figure(
        style.save(folder / "interactions.svg", 0.4 + 0.42 * len(results.terms), drawing),
        "Interaction of every pair on mAP: half of what the effect of one gains when the other is on. Plus: "
        "together more than the sum; minus: they do the same work. Boxed pairs have a false discovery "
        "rate below 5 % over all pairs." + (" Empty squares cannot be estimated." if left else ""),
    )
    table = Table(
        [wide("Pair"), right("interaction"), centred("95 %"), right("q"), *both],
        rows,
        f"All pairs{f' but {left} that these runs cannot estimate' if left else ''}, largest first; percentage "
        f"points of mAP. {EXPLORATORY} "
        + (
            "The right columns are the effect of one factor of the pair at the first and at the second level "
            "of the other. "
            if both
            else ""
        )
        + basis(results),
    )
    return [Section("Interactions", [figure, table, *sums])]


def _sums(results: Results) -> list[Element]:
    """What is aliased, as the sums that the design can estimate."""
    if results.alias_sums.empty:
        return []
    sums = results.design.alias_sums(list(results.shorts.values()))
    rows = [
        [
            words,
            signed(MAIN, row["effect"]),
            interval(MAIN, row["low"], row["high"]),
            probability(row["q"]),
        ]
        for words, (_, row) in zip(sums, each_row(results.alias_sums), strict=True)
    ]
    caption = (
        "Aliased: no run of this fraction tells these effects apart. Only their sum is known, in percentage points of "
        f"mAP; which of them it comes from is not. {EXPLORATORY}"
    )
    return [Table([wide("Sum of"), right("mAP"), centred("95 %"), right("q")], rows, caption)]
