"""What cannot be read in an output folder, and what would mend it."""

import re
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from reid.doctor import repair
from reid.files import REPAIR, DamagedFileError, read_json
from reid.store.claim import read_holder
from reid.store.looks import read_looks
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore
from reid.store.study import read_comparison, read_importances, read_study, read_trials

LEFTOVER = re.compile(r"\..+\.[0-9a-f]{16,32}\.tmp")
LEFT_SECONDS = 3600  # after which nobody writes a temporary file any more
RECORDS: dict[str, Callable[[RunFolder], object]] = {
    "run.json": RunFolder.read_run,
    "result.json": RunFolder.read_result,
    "evaluations.json": RunFolder.read_evaluations,
    "ranklists.json": RunFolder.read_rank_lists,
    "mlflow.json": RunFolder.read_projections,
    "progress.json": lambda folder: read_json(folder.progress),
    "curves.parquet": RunFolder.curves,
    "embeddings.npz": RunFolder.embeddings,
}
GRID_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "plan.json": (read_plan, "`reid ablate` with its file makes it anew"),
    "looks.json": (read_looks, "`reid ablate` with its file takes the same looks again"),
}
STUDY_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "study.json": (read_study, "`reid tune` with its file makes it anew"),
    "trials.json": (read_trials, "`reid tune --status` makes it anew"),
    "comparison.json": (read_comparison, "`reid tune` with its file makes it anew"),
    "importances.json": (read_importances, "`reid tune` with its file makes it anew"),
}


@dataclass(frozen=True)
class Damage:
    """What is wrong with a file or a folder, what `mend` would do, in words, and `mend` itself."""

    path: Path
    problem: str
    remedy: str
    mend: Callable[[], None]


def find_damage(output: Path) -> Iterator[Damage]:
    """Everything damaged under an output folder. Runs that somebody trains are left to who trains them."""
    for folder in RunStore(output).folders():
        holder = read_holder(folder)
        if holder is None or holder.is_over():
            yield from _of_run(output, folder)
    for grid in sorted(path for path in output.glob("grids/*") if path.is_dir()):
        for name, (read, after) in GRID_FILES.items():
            path = grid / name
            if path.exists() and (problem := _problem(path, read, grid)):
                yield _file(path, problem, after)
    for study in sorted(path for path in output.glob("studies/*") if path.is_dir()):
        for name, (read, after) in STUDY_FILES.items():
            path = study / name
            if path.exists() and (problem := _problem(path, read, study)):
                yield _file(path, problem, after)
        yield from _of_database(study / "study.db", "`reid tune` begins the search anew; the runs stay")
    yield from _of_database(output / "mlflow.db", "`reid sync` makes it anew")
    for place in (output, *output.glob("grids/*"), *output.glob("studies/*")):
        yield from _leftovers(place)


def _of_run(output: Path, folder: RunFolder) -> Iterator[Damage]:
    """What is wrong in a run's folder: all of it, where its result or what was asked is lost."""
    problems = {name: found for name, read in RECORDS.items() if (found := _problem(folder.path / name, read, folder))}
    if found := _problem(folder.path / "state.json", RunFolder.recorded_state, folder):
        problems["state.json"] = found
    problems |= {path.name: found for path in _arrays(folder) if (found := _array_problem(path))}
    for path in (folder.model, folder.checkpoint, folder.previous_checkpoint):
        if path.exists() and not zipfile.is_zipfile(path):
            problems[path.name] = "must be a file of torch, found another or a part of one"
    ended = repair.outcome(folder)
    if ended.state == RunState.FINISHED and not (folder.path / "result.json").exists():
        problems["result.json"] = "a finished run has one, found none"
    if ended.state.has_result and not (folder.path / "run.json").exists():
        problems["run.json"] = "a run has one, found none"
    lost = [name for name in ("run.json", "result.json") if name in problems]
    if lost and ended.state.has_result:
        problem = "; ".join(f"{name}: {problems[name]}" for name in lost)
        remedy = f"sets the folder aside under {repair.ASIDE}; the next launch trains the run anew"
        yield Damage(folder.path, problem, remedy, lambda: repair.set_folder_aside(output, folder))
        return
    for name, problem in problems.items():
        path = folder.path / name
        if name == "state.json" and ended.state.has_result:
            remedy = f"writes it anew from the rest of the folder: {ended.state}"
            yield Damage(path, problem, remedy, lambda: repair.write_state(folder))
        else:
            yield _file(path, problem, "the run does without it, or goes on from its checkpoint", folder)
    yield from _leftovers(folder.path)


def _file(path: Path, problem: str, after: str, run: RunFolder | None = None) -> Damage:
    remedy = f"sets it aside as {path.name}.damaged; {after}"
    return Damage(path, problem, remedy, lambda: repair.set_file_aside(path, run))


def _problem(path: Path, read: Callable[..., object], *arguments: object) -> str | None:
    """What is said of a file that cannot be read, without its name and what to do about it."""
    try:
        read(*arguments)
    except DamagedFileError as error:
        return str(error).removeprefix(f"{path.resolve()}: ").removeprefix(f"{path}: ").removesuffix(f"; {REPAIR}")
    return None


def _arrays(folder: RunFolder) -> list[Path]:
    return sorted(folder.path.glob("query_*.npy"))


def _array_problem(path: Path) -> str | None:
    try:
        np.load(path)
    except Exception as error:  # of damaged bytes its parser raises anything
        return f"must be an array of numpy, found {error}"
    return None


def _of_database(path: Path, after: str) -> Iterator[Damage]:
    """What SQLite says of a database. One that somebody writes to at this moment is taken for whole."""
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=rw", uri=True, timeout=5)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        yield _file(path, f"must be a whole SQLite database, found: {found.splitlines()[-1]}", after)


def _leftovers(folder: Path) -> Iterator[Damage]:
    """Temporary files whose writer was killed."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if LEFTOVER.fullmatch(path.name) and path.is_file() and time.time() - path.stat().st_mtime > LEFT_SECONDS:
            size = f"{path.stat().st_size / 1e6:.1f} MB"
            yield Damage(path, f"left half-written ({size})", "removes it", path.unlink)
