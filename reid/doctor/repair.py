"""Mends an output folder without losing anything: what is damaged is moved aside, what is known is written anew."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from reid.errors import InputError
from reid.files import DamagedFileError
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import ResultRecord, RunState, StateRecord

ASIDE = "set-aside"
STAMP = len("2026-01-01 00:00:00 ")  # before each line of a log


def outcome(folder: RunFolder) -> StateRecord:
    """How a run ended, from state.json, or else from what else its folder holds; planned where it did not end."""
    with suppress(DamagedFileError):
        return folder.recorded_state()
    lines = _log(folder)
    state, _, reason = lines[-1].partition(": ") if lines else ("", "", "")
    ended = RunState(state) if state in (RunState.FINISHED, RunState.DIVERGED) else RunState.PLANNED
    result = _result(folder)
    if ended == RunState.PLANNED and result and folder.model.exists() and not folder.checkpoint.exists():
        ended = RunState.FINISHED  # the last thing that the end of a run does is to remove its checkpoints
    if ended == RunState.PLANNED:
        return StateRecord()
    with suppress(DamagedFileError):
        epochs = folder.require_run().recipe.epochs
        return StateRecord(
            state=ended,
            epoch=epochs if ended == RunState.FINISHED else 0,
            epochs=epochs,
            reason=reason or None,
            attempts=sum(line.startswith("attempt ") for line in lines),
            seconds=result.cost.train_seconds + result.cost.evaluation_seconds if result else None,
            updated=(folder.path / "state.json").stat().st_mtime,
        )
    return StateRecord(state=ended)


def write_state(folder: RunFolder) -> None:
    """state.json anew, from what else the folder holds."""
    found = outcome(folder)
    set_file_aside(folder.path / "state.json", folder)
    folder.write_state(found)


def set_file_aside(path: Path, run: RunFolder | None = None) -> None:
    """Rename a file, so that nothing reads it any more; a file of a run only while nobody trains it."""
    with _held(run) if run else nullcontext():
        path.rename(_free(path.with_name(f"{path.name}.damaged")))


def set_folder_aside(output: Path, run: RunFolder) -> None:
    """Move a run's folder out of the way of whoever trains it anew."""
    with _held(run):
        (output / ASIDE).mkdir(exist_ok=True)
        run.path.rename(_free(output / ASIDE / run.signature))


@contextmanager
def _held(run: RunFolder) -> Iterator[None]:
    with claim(run) as mine:
        if mine is None:
            raise InputError(f"run {run.signature}: somebody has just begun to train it; `reid stop` its grid first")
        yield


def _free(path: Path) -> Path:
    """`path`, or the first with a number after it that is not taken."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def _log(folder: RunFolder) -> list[str]:
    """The lines of a run's log without their times; none where it has no log."""
    if not folder.log.is_file():
        return []
    return [line[STAMP:] for line in folder.log.read_text(encoding="utf-8", errors="replace").splitlines()]


def _result(folder: RunFolder) -> ResultRecord | None:
    with suppress(DamagedFileError):
        return folder.read_result()
    return None
