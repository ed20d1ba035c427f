"""The looks of a grid that grows: each factor's interval as it shrinks, what is decided, and what it cost so far."""

import math

from pydantic import JsonValue
from rich.table import Table
from rich.text import Text

from reid.grids.status import FULL_SEEDS, GridStatus
from reid.store.looks import FactorLook, LookRecord, followed

LOOKS_SHOWN = 6
BAR = 21  # characters of an interval that is drawn, its zero in the middle
STYLES = {"helps": "green", "hurts": "red", "no_effect": "cyan"}
WORDS = {"no_effect": "no effect that matters", "undecided": "undecided"}
STOPS = {
    "decided": "every factor has its verdict",
    "narrow": "every interval is as narrow as asked",
    "at_most": "as many runs as are allowed",
}


def looks_table(status: GridStatus) -> Table:
    """Every factor at the last look, its interval drawn, and how far it reached at the looks before."""
    last = status.looks[-1]
    table = Table(title=f"{look_line(last)}; mAP, points", title_justify="left", box=None)
    for head in ("factor", "effect", "interval", f"±{_reach(last):.1f}", "± by look", "verdict"):
        table.add_column(head, no_wrap=head in ("effect", "interval", "± by look"))
    titles = {factor.name: factor.title or factor.name for factor in status.plan.factors}
    for name in followed(status.looks):
        factor = last.factors[name]
        widths = [_points(look.factors[name].half_width).lstrip("+") for look in status.looks[-LOOKS_SHOWN:]]
        table.add_row(
            titles.get(name, name), _points(factor.effect), f"[{_points(factor.low)}, {_points(factor.high)}]",
            _bar(factor, _reach(last)), " ".join(widths), Text(verdict(factor), style=STYLES.get(factor.kind, "")),
        )  # fmt: skip
    return table


def verdict(factor: FactorLook) -> str:
    return WORDS.get(factor.kind, factor.kind.replace("_", " "))


def look_line(look: LookRecord) -> str:
    """A look in one line."""
    lost = f" ({look.lost})" if look.lost else ""
    line = f"look {look.look}: {look.decided} of {len(look.factors)} factors decided after {look.runs} runs{lost}"
    return f"{line}, bound {look.critical:.2f}" + (f"; it ends: {STOPS[look.stop]}" if look.stop else "")


def spent_line(status: GridStatus) -> str:
    """What a grid that grows cost so far, beside the full grid."""
    assert status.plan.until is not None
    runs, full = len(status.runs), f"the full grid (every combination with {FULL_SEEDS} seeds, {status.full} runs)"
    saved = status.full - runs
    seconds = status.seconds_of(abs(saved))
    hours = "" if seconds is None else f" and {seconds / 3600:.1f} h"
    told = f"{abs(saved)} runs{hours} {'fewer' if saved >= 0 else 'more'} than {full}"
    if status.is_growing():
        return f"{runs} runs so far, at most {status.plan.until.at_most}; were this enough, {told}"
    return f"{runs} runs: {told}"


def look_document(look: LookRecord) -> dict[str, JsonValue]:
    """A look for `--json`."""
    document: dict[str, JsonValue] = look.model_dump(mode="json")
    return document


def _points(value: float) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "−∞" if value < 0 else "∞"
    return f"{100 * value:+.2f}".replace("-", "−")


def _reach(look: LookRecord) -> float:
    """Points to either side of zero that every finite interval of a look lies within."""
    ends = [abs(end) for factor in look.factors.values() for end in (factor.low, factor.high) if math.isfinite(end)]
    return 100 * max(ends, default=0.0)


def _bar(factor: FactorLook, reach: float) -> str:
    """An interval on a scale from −`reach` to `reach` points, with zero as a line and the effect as a dot."""
    if not math.isfinite(factor.low + factor.high) or not reach:
        return ""
    low, dot, high = (
        round((100 * end / reach + 1) / 2 * (BAR - 1)) for end in (factor.low, factor.effect, factor.high)
    )
    cells = ["━" if low <= place <= high else " " for place in range(BAR)]
    cells[BAR // 2] = "┿" if low <= BAR // 2 <= high else "│"
    cells[dot] = "●"
    return "".join(cells).rstrip()
