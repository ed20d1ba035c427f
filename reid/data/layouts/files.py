"""Reading names from folders and lists that nobody vouches for."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from reid.data.dataset import Dataset
from reid.errors import InputError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
DIGITS = 18  # the longest number that fits in 64 bits
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def shown(name: str) -> str:
    """A name fit for a line of text."""
    return UNPRINTABLE.sub("?", name)


def home(root: Path, inner: Sequence[str], required: Sequence[str]) -> Path:
    """`root`, or the folder of `inner` in it, whichever holds `required[0]`; `root` if none does.

    Archives unpack into a folder of their own, so both the folder they were unpacked in and theirs are understood.
    Raises InputError where `root` is no folder.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such data set folder; give the folder that holds {', '.join(required)}")
    return next((path for path in [root, *(root / name for name in inner)] if (path / required[0]).exists()), root)


def images_in(folder: Path, layout: str) -> list[Path]:
    """Files of `folder` with an image's suffix, sorted by name. Raises InputError where there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{folder}: no such folder; {layout}") from error


def text_of(file: Path) -> str:
    """A text file. Raises InputError where it cannot be read as UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{file}: cannot be read ({reason}); check that the data set is complete") from error


def listed(folder: Path, entry: str, where: str) -> Path:
    """The file that a list calls `entry`, under `folder`. `where` (file:line) begins the InputError of a bad one."""
    if not entry or UNPRINTABLE.search(entry) or Path(entry).is_absolute() or ".." in Path(entry).parts:
        raise InputError(f"{where}: path must be a printable relative path inside {folder}, found {entry!r}")
    return folder / entry


def number(text: str, what: str, where: str) -> int:
    """A whole number of a list. `where` (file:line) begins the InputError of a bad one."""
    if not re.fullmatch(rf"-?[0-9]{{1,{DIGITS}}}", text):
        raise InputError(f"{where}: {what} must be a whole number of at most {DIGITS} digits, found {text!r}")
    return int(text)


def unique(paths: Iterable[Path], where: Path) -> None:
    """Raise InputError where a list names a file twice."""
    seen: set[Path] = set()
    for path in paths:
        if path in seen:
            raise InputError(f"{where}: every image once, but {path.name!r} is named twice")
        seen.add(path)


def check_places(dataset: Dataset) -> None:
    """Raise InputError for a file name that cannot be shown, and for a symbolic link that leads out of the root."""
    root = os.path.realpath(dataset.root)
    folders: dict[Path, bool] = {}
    for path in (path for split in dataset.splits.values() for path in split.paths):
        if UNPRINTABLE.search(str(path)):
            raise InputError(
                f"{shown(str(path))}: file names must be UTF-8 text without control characters; rename the file"
            )
        if path.parent not in folders:
            folders[path.parent] = _within(root, path.parent)
        if not folders[path.parent] or (path.is_symlink() and not _within(root, path)):
            raise InputError(
                f"{path}: is a symbolic link that leads out of {dataset.root}; copy the file, or give the folder above"
            )


def _within(root: str, path: Path) -> bool:
    real = os.path.realpath(path)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)
