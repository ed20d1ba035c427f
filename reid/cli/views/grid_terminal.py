"""What a launch looks like in a terminal: a live table on a TTY, a line an event elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reid.cli.views.looks import look_line, looks_table, spent_line
from reid.cli.views.screen import Screen
from reid.cli.views.status_table import COLOURS, clock, closing, event_line, pace, percent
from reid.grids.forecast import Forecast
from reid.grids.launch import Progress
from reid.grids.status import GridStatus, RunStatusRow
from reid.store.run_records import ProgressRecord, RunState

BEST_SHOWN = 5
REDRAW_SECONDS = 0.25  # a table of thousands of runs takes a while to draw


class TerminalView:
    """A context manager that shows a launch on the console."""

    def __init__(self, console: Screen) -> None:
        self.console = console
        self.live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self.drawn = float("-inf")
        self.warning = ""
        self.looks = 0  # shown so far, without a TTY

    def __enter__(self) -> Self:
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
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self.console, transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        with bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def show(self, status: GridStatus, changed: RunStatusRow | None) -> None:
        """Redraw the table; without a TTY print a line where a run changed its state."""
        if self.live is not None:
            if time.monotonic() - self.drawn >= REDRAW_SECONDS:
                self._draw(self.live, status)
            return
        for look in status.looks[self.looks :]:
            self._say(look_line(look))
        self.looks = len(status.looks)
        if changed is not None:
            self._say(f"[{status.with_result()}/{len(status.runs)}] {event_line(changed)}")

    def _say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)

    def _draw(self, live: Live, status: GridStatus) -> None:
        if not live.is_started:
            live.start()
        live.update(self._render(status), refresh=True)
        self.drawn = time.monotonic()

    def end(self, status: GridStatus) -> None:
        """The grid as it is in the end, and what to know of it."""
        if self.live is not None:
            self._draw(self.live, status)
            self.live.stop()
        for line in closing(status)[0]:
            self._say(line)

    def warn(self, text: str) -> None:
        if self.live is not None and self.live.is_started:
            self.warning = text
        else:
            self._say(f"warning: {text}")

    def _render(self, status: GridStatus) -> Group:
        counts = status.counts()
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(f"grid {status.grid}", style="bold"),
            ProgressBar(total=len(status.runs), completed=status.with_result(), width=32),
            f"{status.with_result()}/{len(status.runs)}",
            Text("  ").join(Text(f"{state} {count}", style=COLOURS[state]) for state, count in counts.items() if count),
            f"ETA {clock(status.remaining_seconds())}",
        )
        headings = ("arm", "seed", "epoch", "mAP", "images/s", "ETA", "slot")
        running = Table(*headings, title="training", title_justify="left", box=None, min_width=40)
        for run in (run for run in status.runs.values() if run.state == RunState.RUNNING):
            epoch = f"{run.epoch}/{run.epochs}"
            running.add_row(run.title or run.arm, str(run.seed), epoch, percent(run.mAP), *pace(run))
        ranked = sorted((r for r in status.runs.values() if r.state == RunState.FINISHED), key=lambda r: -(r.mAP or 0))
        best = Table("arm", "seed", "mAP", title="best so far", title_justify="left", box=None, min_width=30)
        for run in ranked[:BEST_SHOWN]:
            best.add_row(run.title or run.arm, str(run.seed), percent(run.mAP))
        columns = Table.grid(padding=(0, 6))
        columns.add_row(running, best)
        notices = [Text(notice, style="dim") for notice in status.notices]
        grown = [looks_table(status)] if status.looks else []
        spent = [Text(spent_line(status))] if status.plan.until else []
        return Group(
            head, columns, *grown, *spent, *notices, *([Text(self.warning, style="yellow")] if self.warning else [])
        )


def forecast_lines(forecast: Forecast) -> list[str]:
    """What `reid ablate --dry-run` prints."""
    hours = forecast.device_hours
    told = "in 80 %, by the verdict for all factors" + (f", all {forecast.at_most} runs" if forecast.at_most else "")
    lines = [
        f"arms         {forecast.arms}",
        f"runs         {sum(forecast.states.values())}: "
        + ", ".join(f"{count} {state}" for state, count in forecast.states.items()),
        f"time         {clock(hours / forecast.slots * 3600)} on {forecast.slots} slots, {hours:.1f} slot hours to go; "
        f"{forecast.seconds_a_run:.0f} s a run from {forecast.source}"
        + (
            f"; {forecast.shared} share another's training and cost {forecast.seconds_a_ranking:.2g} s of evaluation"
            if forecast.shared
            else ""
        ),
        f"disk         {forecast.disk_bytes / 1e9:.1f} GB",
        "can see      "
        + (
            "one seed only, which says nothing of others: add seeds"
            if isnan(forecast.detectable)
            else f"effects from {_size(forecast)} ({told})"
        ),
    ]
    if forecast.batch:
        lines.insert(2, f"batches      of {forecast.batch} runs, each with a seed of its own")
    if forecast.at_most:
        lines.insert(
            3,
            f"until        a look at every batch from the second on, at most {forecast.at_most} runs: "
            f"{clock(forecast.most_hours / forecast.slots * 3600)} on {forecast.slots} slots, "
            f"{forecast.most_hours:.1f} slot hours to go",
        )
    if forecast.rungs:
        rungs = ", ".join(map(str, forecast.rungs))
        lines.append(
            f"budget       arms end at epochs {rungs}: at most {100 * forecast.share:.0f} % of all epochs to train"
        )
    lines += [f"confounded   {line}" for line in forecast.aliased] or ["confounded   nothing up to pairs of factors"]
    return lines


def _size(forecast: Forecast) -> str:
    """The smallest effect that the verdict calls: in points where the noise is known, else in standard deviations."""
    noise, source = forecast.noise
    if noise is None:
        return f"{forecast.detectable:.2f} standard deviations of a run"
    points = forecast.detectable * noise
    short = forecast.matters is not None and points > forecast.matters
    more = f", more than the {forecast.matters:g} that matter" if short else ""
    return f"{points:.2g} points{more}, as a run varies by {noise:.2g} from {source}"


def progress_line(progress: ProgressRecord) -> str:
    """How far a worker is, in one line."""
    numbers = {
        "epoch": progress.epoch,
        "iteration": progress.iteration,
        "loss": progress.loss,
        **(progress.scores.model_dump() if progress.scores else {}),
        "images/s": progress.images_per_second,
        "eta": progress.eta,
    }
    return "  ".join(f"{name} {value:.4g}" for name, value in numbers.items() if value is not None)
