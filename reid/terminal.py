"""What a launch looks like in a terminal: a live board on a TTY, a line an event elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isnan
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reid.ablation.forecast import Forecast
from reid.ablation.launch import Progress
from reid.ablation.orchestrator import Board, RunStatus
from reid.run_folder import ENDED

COLOURS = {
    "finished": "green",
    "diverged": "yellow",
    "failed": "red",
    "stopped": "magenta",
    "running": "cyan",
    "planned": "dim",
}
BEST_SHOWN = 5


class TerminalView:
    """A context manager that shows a launch on the console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self.warning = ""

    def __enter__(self) -> "TerminalView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live is not None and self.live.is_started:
            self.live.stop()

    @contextmanager
    def preparing(self, what: str) -> Iterator[Progress]:
        """A progress bar that appears once there is progress to show."""
        bar = Bar(
            TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self.console, transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        with bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def show(self, board: Board, changed: RunStatus | None) -> None:
        """Redraw the board; without a TTY print a line where a run changed its state."""
        if self.live is not None:
            if not self.live.is_started:
                self.live.start()
            self.live.update(self._render(board), refresh=True)
        elif changed is not None:
            ended = sum(run.state in ENDED for run in board.runs.values())
            self.console.print(f"[{ended}/{len(board.runs)}] {event_line(changed)}", markup=False, highlight=False)

    def warn(self, text: str) -> None:
        if self.live is not None and self.live.is_started:
            self.warning = text
        else:
            self.console.print(f"warning: {text}", markup=False, highlight=False)

    def _render(self, board: Board) -> Group:
        counts = board.counts()
        over = sum(counts[state] for state in ENDED)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(f"grid {board.grid}", style="bold"),
            ProgressBar(total=len(board.runs), completed=over, width=32),
            f"{over}/{len(board.runs)}",
            Text("  ").join(Text(f"{state} {count}", style=COLOURS[state]) for state, count in counts.items() if count),
            f"ETA {clock(board.remaining_seconds())}",
        )
        running = Table("arm", "seed", "epoch", "mAP", title="training", title_justify="left", box=None, min_width=40)
        for run in (run for run in board.runs.values() if run.state == "running"):
            running.add_row(run.arm, str(run.seed), f"{run.epoch}/{run.epochs}", percent(run.mAP))
        ranked = sorted((r for r in board.runs.values() if r.state == "finished"), key=lambda r: -(r.mAP or 0))
        best = Table("arm", "seed", "mAP", title="best so far", title_justify="left", box=None, min_width=30)
        for run in ranked[:BEST_SHOWN]:
            best.add_row(run.arm, str(run.seed), percent(run.mAP))
        columns = Table.grid(padding=(0, 6))
        columns.add_row(running, best)
        notices = [Text(notice, style="dim") for notice in board.notices]
        return Group(head, columns, *notices, *([Text(self.warning, style="yellow")] if self.warning else []))


def event_line(run: RunStatus) -> str:
    """One run in one line."""
    parts = [f"{run.arm} s{run.seed}", run.state]
    if run.state in ENDED:
        parts.append(f"mAP {percent(run.mAP)}")
    if run.seconds is not None:
        parts.append(f"{run.seconds:.0f} s")
    if run.reason:
        parts.append(run.reason.splitlines()[0])
    return "  ".join(parts)


def status_table(board: Board) -> Table:
    """Every run of a grid with its state, for `reid status`."""
    table = Table("arm", "seed", "state", "epoch", "mAP", "run", "reason", box=None)
    for run in board.runs.values():
        table.add_row(
            run.arm, str(run.seed), Text(run.state, style=COLOURS[run.state]), f"{run.epoch}/{run.epochs}",
            percent(run.mAP), run.signature, (run.reason or "").splitlines()[0] if run.reason else "",
        )  # fmt: skip
    return table


def forecast_lines(forecast: Forecast) -> list[str]:
    """What `reid ablate --dry-run` prints."""
    hours = forecast.device_hours
    lines = [
        f"arms         {forecast.arms}",
        f"runs         {sum(forecast.states.values())}: "
        + ", ".join(f"{count} {state}" for state, count in forecast.states.items()),
        f"time         {clock(hours / forecast.slots * 3600)} on {forecast.slots} slots, {hours:.1f} slot hours to go; "
        f"{forecast.seconds_a_run:.0f} s a run from {forecast.source}",
        f"disk         {forecast.disk_bytes / 1e9:.1f} GB",
        "can see      "
        + (
            "nothing yet: there is no noise to compare with; add seeds"
            if isnan(forecast.detectable)
            else f"effects from {forecast.detectable:.2f} standard deviations between seeds (80 % power, 5 % level)"
        ),
    ]
    lines += [f"confounded   {line}" for line in forecast.aliased] or ["confounded   nothing up to pairs of factors"]
    return lines


def progress_line(numbers: Mapping[str, float]) -> str:
    """What a worker reports while it trains, in one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())


def percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f}"


def clock(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
