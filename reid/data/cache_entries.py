"""What the cache of decoded images holds, and its removal."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from reid.data.cache import read_index
from reid.errors import InputError


@dataclass(frozen=True)
class Entry:
    """One decoded data set at one size; the first three are empty where its build was interrupted."""

    folder: Path
    dataset: str
    root: str
    images: int
    bytes: int


def entries(cache: Path) -> list[Entry]:
    """What is in a cache folder, sorted by folder name. Empty where there is no such folder."""
    found = []
    for folder in sorted(path for path in cache.glob("*-*x*") if path.is_dir()):
        index = read_index(folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        found.append(Entry(folder, index.dataset, index.root, index.images, size))
    return found


def prune(cache: Path) -> tuple[list[Entry], list[Entry]]:
    """Remove every entry that is not being built now: those removed, and those left.

    A training that has an entry open keeps its pixels until it ends. Lock files stay: removing one that a process waits
    for would let two in. Raises InputError where an entry cannot be removed.
    """
    removed, left = [], []
    for entry in entries(cache):
        try:
            with FileLock(cache / f"{entry.folder.name}.lock", timeout=0):
                shutil.rmtree(entry.folder)
        except Timeout:
            left.append(entry)
        except OSError as error:
            raise InputError(f"{entry.folder}: cannot be removed ({error.strerror}); check its permissions") from error
        else:
            removed.append(entry)
    if not left:
        for memory in cache.glob("files-*.json"):
            memory.unlink(missing_ok=True)
    return removed, left
