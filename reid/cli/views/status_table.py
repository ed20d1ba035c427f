"""Runs and grids in words and tables: what `reid status` prints, and the lines of a launch."""

from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from reid.grids.status import Board, RunStatus
from reid.store.run_records import ENDED

COLOURS = {
    "finished": "green",
    "diverged": "yellow",
    "failed": "red",
    "stopped": "magenta",
    "running": "cyan",
    "planned": "dim",
}


def status_table(board: Board) -> Table:
    """Every run of a grid."""
    table = Table("arm", "seed", "state", "epoch", "mAP", "images/s", "ETA", "slot", "run", "reason", box=None)
    for run in board.runs.values():
        table.add_row(
            run.arm, str(run.seed), Text(run.state, style=COLOURS[run.state]), f"{run.epoch}/{run.epochs}",
            percent(run.mAP), *pace(run), run.signature, reason(run),
        )  # fmt: skip
    return table


def grids_table(boards: list[Board]) -> Table:
    """All grids in short."""
    table = Table("grid", "runs", "states", "ETA", box=None)
    for board in boards:
        over = f"{board.over()}/{len(board.runs)}"
        table.add_row(board.grid, over, counts_text(board), clock(board.remaining_seconds()))
    return table


def board_document(board: Board, runs: bool) -> dict[str, Any]:
    """A grid for `reid status --json`, with all its `runs` or in short."""
    about = {"grid": board.grid, "counts": board.counts(), "eta_seconds": board.remaining_seconds()}
    return about | ({"runs": [asdict(run) for run in board.runs.values()]} if runs else {})


def pace(run: RunStatus) -> tuple[str, str, str]:
    """Speed, time to go and place of a run that trains, empty otherwise."""
    if run.state != "running":
        return "", "", ""
    speed = "" if run.images_per_second is None else f"{run.images_per_second:.0f}"
    return speed, "" if run.eta is None else clock(run.eta), " ".join(filter(None, (run.host, run.slot)))


def reason(run: RunStatus) -> str:
    first = (run.reason or "").partition("\n")[0]
    return f"held: {first}" if run.held else first


def counts_text(board: Board) -> str:
    return ", ".join(f"{count} {state}" for state, count in board.counts().items())


def summary_line(board: Board) -> str:
    return f"{counts_text(board)}; ETA {clock(board.remaining_seconds())}"


def closing(board: Board) -> tuple[list[str], int]:
    """The last lines of a launch, and its exit code: 0 whole, 1 runs failed, 130 stopped before the end."""
    counts, held = board.counts(), sum(run.held for run in board.runs.values())
    lines = [f"grid {board.grid}: {counts_text(board)}"]
    if board.gave_up:
        return [*lines, f"{board.gave_up}; `reid status {board.grid}` says more, the same command goes on from here"], 1
    if held:
        name = board.grid
        lines.append(
            f"{held} failed and held: `reid status {name}` says why, `reid retry {name} --failed` releases them"
        )
    if counts["failed"] > held:
        lines.append(f"{counts['failed'] - held} failed: the same command tries them again")
    if counts["stopped"] > board.censored() or counts["planned"] or counts["running"]:
        return [*lines, "stopped before the end; the same command goes on from here"], 130
    return lines, 1 if counts["failed"] else 0


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


def percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f}"


def clock(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
