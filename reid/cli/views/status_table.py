"""Runs and grids in words and tables: what `reid status` prints, and the lines of a launch."""

from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from reid.cli.views.looks import look_document, spent_line
from reid.grids.status import GridStatus, RunStatusRow
from reid.store.run_records import RunState

COLOURS = {
    RunState.FINISHED: "green",
    RunState.DIVERGED: "yellow",
    RunState.FAILED: "red",
    RunState.UNREADABLE: "red",
    RunState.STOPPED: "magenta",
    RunState.RUNNING: "cyan",
    RunState.PLANNED: "dim",
}


def status_table(status: GridStatus) -> Table:
    """Every run of a grid."""
    table = Table("arm", "seed", "state", "epoch", "mAP", "images/s", "ETA", "slot", "run", "reason", box=None)
    for run in status.runs.values():
        table.add_row(
            run.title or run.arm, str(run.seed), Text(run.state, style=COLOURS[run.state]), f"{run.epoch}/{run.epochs}",
            percent(run.mAP), *pace(run), run.signature, reason(run),
        )  # fmt: skip
    return table


def grid_lines(status: GridStatus) -> list[str]:
    """What stands below the runs of a grid."""
    return [summary_line(status), *([spent_line(status)] if status.plan.until else [])]


def grids_table(grids: list[GridStatus]) -> Table:
    """All grids in short."""
    table = Table("grid", "runs", "states", "ETA", box=None)
    for status in grids:
        over = f"{status.with_result()}/{len(status.runs)}"
        table.add_row(status.grid, over, counts_text(status), clock(status.remaining_seconds()))
    return table


def status_document(status: GridStatus, runs: bool) -> dict[str, Any]:
    """A grid for `reid status --json`, with all its `runs` or in short."""
    about: dict[str, Any] = {"grid": status.grid, "counts": status.counts(), "eta_seconds": status.remaining_seconds()}
    if status.plan.until:
        about |= {
            "at_most": status.plan.until.at_most,
            "full": status.full,
            "looks": [look_document(look) for look in status.looks],
        }
    return about | ({"runs": [asdict(run) for run in status.runs.values()]} if runs else {})


def pace(run: RunStatusRow) -> tuple[str, str, str]:
    """Speed, time to go and place of a run that trains, empty otherwise."""
    if run.state != RunState.RUNNING:
        return "", "", ""
    speed = "" if run.images_per_second is None else f"{run.images_per_second:.0f}"
    return speed, "" if run.eta is None else clock(run.eta), " ".join(filter(None, (run.host, run.slot)))


def reason(run: RunStatusRow) -> str:
    first = (run.reason or "").partition("\n")[0]
    return f"quarantined: {first}" if run.quarantined else first


def counts_text(status: GridStatus) -> str:
    return ", ".join(f"{count} {state}" for state, count in status.counts().items())


def summary_line(status: GridStatus) -> str:
    return f"{counts_text(status)}; ETA {clock(status.remaining_seconds())}"


def closing(status: GridStatus) -> tuple[list[str], int]:
    """The last lines of a launch, and its exit code: 0 whole, 1 runs failed or are damaged, 130 stopped before."""
    counts, quarantined = status.counts(), sum(run.quarantined for run in status.runs.values())
    lines = [f"grid {status.grid}: {counts_text(status)}", *([spent_line(status)] if status.plan.until else [])]
    if status.gave_up:
        return [
            *lines,
            f"{status.gave_up}; `reid status {status.grid}` says more, the same command goes on from here",
        ], 1
    if quarantined:
        name = status.grid
        lines.append(
            f"{quarantined} failed and quarantined: `reid status {name}` says why, `reid retry {name}` releases them"
        )
    if counts[RunState.FAILED] > quarantined:
        lines.append(f"{counts[RunState.FAILED] - quarantined} failed: the same command tries them again")
    if unreadable := counts[RunState.UNREADABLE]:
        lines.append(f"{unreadable} unreadable: `reid doctor` says what is damaged, `--repair` sets it aside")
    open_runs = counts[RunState.STOPPED] - status.early_stopped() + counts[RunState.PLANNED] + counts[RunState.RUNNING]
    if open_runs or not status.is_over():
        return [*lines, "stopped before the end; the same command goes on from here"], 130
    return lines, 1 if counts[RunState.FAILED] or unreadable else 0


def event_line(run: RunStatusRow) -> str:
    """One run in one line."""
    parts = [run.name, run.state]
    if run.state.has_result:
        parts.append(f"mAP {percent(run.mAP)}")
    if run.seconds is not None:
        parts.append(f"{run.seconds:.0f} s")
    if run.reason:
        parts.append(run.reason.splitlines()[0])
    return "  ".join(parts)


def percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f}"


def clock(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
