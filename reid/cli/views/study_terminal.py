"""What a study looks like in a terminal: a live board on a TTY, a line an event elsewhere."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reid.cli.views.grid_terminal import TerminalView
from reid.cli.views.status_table import clock
from reid.studies.launch import Outcome
from reid.studies.progress import SearchBoard
from reid.studies.study_file import EVALUATED

COLOURS = {"complete": "green", "pruned": "yellow", "failed": "red", "running": "cyan", "waiting": "dim"}
SHOWN = 12


class StudyTerminal(TerminalView):
    """A terminal view that shows searches too."""

    def search(self, board: SearchBoard, ended: dict[str, Any] | None) -> None:
        """Redraw the board; without a TTY print a line where a trial ended."""
        if self.live is not None:
            if not self.live.is_started:
                self.live.start()
            self.live.update(self._render_search(board), refresh=True)
        elif ended is not None:
            metrics = list(board.plan.spec.objectives)
            over = sum(
                count for state, count in _counts(board.records).items() if state in ("complete", "pruned", "failed")
            )
            line = trial_line(ended, metrics)
            self.console.print(
                f"[{over}/{board.plan.spec.trials}] {line}", markup=False, highlight=False, soft_wrap=True
            )

    def _render_search(self, board: SearchBoard) -> Group:
        counts, spec = _counts(board.records), board.plan.spec
        over = counts["complete"] + counts["pruned"] + counts["failed"]
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(f"study {spec.name}", style="bold"),
            ProgressBar(total=spec.trials, completed=over, width=32),
            f"{over}/{spec.trials}",
            Text("  ").join(Text(f"{state} {count}", style=COLOURS[state]) for state, count in counts.items()),
            f"ETA {clock(board.remaining_seconds())}",
        )
        running = Table("trial", "epoch", "mAP", *[knob.name for knob in board.plan.knobs], title="training", box=None)
        for record in (record for record in board.records if record["state"] == "running"):
            now = board.progress.get(record["runs"][-1]["signature"]) if record["runs"] else None
            running.add_row(
                str(record["number"]),
                str(now.epoch if now else 0),
                shown("mAP", now.scores.mAP if now and now.scores else None),
                *_knobs(record, board),
            )
        metrics = list(spec.objectives)
        best = Table("trial", *metrics, *[knob.name for knob in board.plan.knobs], title="best so far", box=None)
        for record in ranked(board.records, board.plan.directions[0])[:SHOWN]:
            best.add_row(str(record["number"]), *_values(record, metrics), *_knobs(record, board))
        notices = [Text(notice, style="dim") for notice in board.notices]
        return Group(head, running, best, *notices, *([Text(self.warning, style="yellow")] if self.warning else []))


def ranked(records: Sequence[dict[str, Any]], direction: str) -> list[dict[str, Any]]:
    """Complete trials, the best by the first objective first."""
    sign = 1 if direction == "minimize" else -1
    complete = [record for record in records if record["state"] == "complete"]
    return sorted(complete, key=lambda record: sign * record["values"][0])


def trial_line(record: dict[str, Any], metrics: Sequence[str]) -> str:
    """One trial in one line."""
    parts = [f"trial {record['number']}", record["state"]]
    if record["values"] is not None:
        parts += [f"{metric} {value}" for metric, value in zip(metrics, _values(record, metrics), strict=True)]
    parts += [f"{name} {_word(value)}" for name, value in record["params"].items()]
    return "  ".join([*parts, *([record["reason"].splitlines()[0]] if record["reason"] else [])])


def trials_table(study: dict[str, Any], records: Sequence[dict[str, Any]]) -> Table:
    """Every trial with its state, for `reid tune --status`."""
    metrics = [objective["metric"] for objective in study["objectives"]]
    knobs = [knob["name"] for knob in study["knobs"]]
    best = ranked(records, study["objectives"][0]["direction"])[:1]
    table = Table("trial", "state", *metrics, *knobs, "seeds", "reason", box=None)
    for record in records:
        state = "best" if record in best else record["state"]
        table.add_row(
            str(record["number"]), Text(state, style=COLOURS[record["state"]]), *_values(record, metrics),
            *[_word(record["params"].get(name)) for name in knobs], str(len(record["runs"])),
            (record["reason"] or "").splitlines()[0] if record["reason"] else "",
        )  # fmt: skip
    return table


def outcome_lines(outcome: Outcome, metrics: Sequence[str]) -> list[str]:
    """What `reid tune` ends with."""
    lines = [f"study {outcome.name}: " + ", ".join(f"{count} {state}" for state, count in outcome.trials.items())]
    if outcome.best is not None:
        lines.append(f"best on validation identities: {trial_line(outcome.best, metrics)}")
    if outcome.comparison is not None:
        lines += comparison_lines(outcome.comparison)
    return lines


def comparison_lines(found: dict[str, Any]) -> list[str]:
    """The winner against the defaults, on the test set."""
    metric, seeds = found["metric"], len(found["seeds"])
    if found["winner"]["runs"] == found["defaults"]["runs"]:
        flattered = _gap(metric, found["optimism"])
        return [f"the paper's defaults won, so nothing is gained; the search flattered them by {flattered}"]
    gain = f"winner minus defaults on the test set, {seeds} fresh seeds: {_gap(metric, found['difference'])}"
    if found["low"] is not None:
        gain += f" (95 % interval {_gap(metric, found['low'])} to {_gap(metric, found['high'])}, p {found['p']:.2g})"
    return [gain, f"the search flattered its winner by {_gap(metric, found['optimism'])}"]


def shown(metric: str, value: float | None) -> str:
    """Fractions in per cent with one decimal; other metrics as they are."""
    if value is None:
        return ""
    return f"{100 * value:.1f}" if metric in EVALUATED else f"{value:.3g}"


def _gap(metric: str, value: float | None) -> str:
    if value is None:
        return "an unknown amount"
    return f"{100 * value:+.1f} points of {metric}" if metric in EVALUATED else f"{value:+.3g} {metric}"


def _values(record: dict[str, Any], metrics: Sequence[str]) -> list[str]:
    return [
        shown(metric, value) for metric, value in zip(metrics, record["values"] or [None] * len(metrics), strict=False)
    ]


def _knobs(record: dict[str, Any], board: SearchBoard) -> list[str]:
    return [_word(record["params"].get(knob.name)) for knob in board.plan.knobs]


def _word(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _counts(records: Sequence[dict[str, Any]]) -> Counter[str]:
    return Counter(record["state"] for record in records)
