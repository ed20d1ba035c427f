"""Reading names from folders and lists that nobody vouches for."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from reid.data.dataset import Dataset
from reid.errors import InputError

IMAGE = re.compile(r"\.(jpe?g|jpe|jfif|png|bmp|gif|tiff?|webp|p[pgbn]m)$", re.IGNORECASE)  # of a name's end
LITTER = {"thumbs.db", "desktop.ini"}  # of Windows; macOS's and Linux's begin with a dot
DIGITS = 18  # the longest number that fits in 64 bits
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def shown(name: str) -> str:
    """A name fit for a line of text."""
    return UNPRINTABLE.sub("?", name)


def home(root: Path, inner: Sequence[str], required: Sequence[str]) -> Path:
    """`root`, or the folder of `inner` in it, whichever is the first to hold anything `required`; `root` if none does.

    Archives unpack into a folder of their own, so both the folder they were unpacked in and theirs are understood.
    Raises InputError where `root` is no folder.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such data set folder; give the folder that holds {', '.join(required)}")
    places = [root, *(root / name for name in inner)]
    return next((place for place in places if any((place / name).exists() for name in required)), root)


def named_images(
    folder: Path, pattern: re.Pattern[str], example: str, layout: str, notes: list[str]
) -> list[tuple[Path, re.Match[str]]]:
    """Images of `folder` whose names begin as `pattern` says, sorted, with the match.

    What is left out is counted and named in `notes`: images of other names, and whatever has no image's suffix. Raises
    InputError where there is no such folder, or no image of such a name in it. `layout` says what should be there.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not _is_litter(path))
    except (FileNotFoundError, NotADirectoryError) as error:
        beside = sum(bool(IMAGE.search(path.name)) for path in folder.parent.glob("*"))
        flat = f"; {beside} images lie beside it: sort them into these, or list them in a CSV" if beside else ""
        raise InputError(f"{folder}: no such folder; {layout}{flat}") from error
    images = [path for path in entries if IMAGE.search(path.name)]
    found = [(path, match) for path in images if (match := pattern.match(path.name))]
    if not found:
        what = f"{len(images)} images" if images else f"no image among {len(entries)} files" if entries else "no image"
        what += f", the first {shown((images or entries)[0].name)}" if entries else ""
        raise InputError(f"{folder}: image names must look like {example}; found {what}")
    strange = [path.name for path in images if not pattern.match(path.name)]
    others = [path.name for path in entries if not IMAGE.search(path.name)]
    for names, why in ((strange, f"images are left out, their names are not like {example}"), (others, NO_IMAGES)):
        if names:
            notes.append(f"{folder.name}: {len(names)} {why} (first: {shown(names[0])})")
    return found


NO_IMAGES = "other files are left out, their names do not end as those of images that are read"


def _is_litter(path: Path) -> bool:
    return not IMAGE.search(path.name) and (path.name.startswith(".") or path.name.lower() in LITTER)


def text_of(file: Path) -> str:
    """A text file. Raises InputError where it cannot be read as UTF-8."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); check that the data set is complete") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = "UTF-16" if content[:2] in UTF_16 else f"the byte {content[error.start]:#04x}"
        raise InputError(f"{file}:{line}: must be UTF-8 text, found {found}; save it as UTF-8") from error


UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def listed(folder: Path, entry: str, where: str) -> Path:
    """The file that a list calls `entry`, under `folder`. `where` (file:line) begins the InputError of a bad one."""
    if not entry or UNPRINTABLE.search(entry) or Path(entry).is_absolute() or ".." in Path(entry).parts:
        raise InputError(f"{where}: path must be a printable relative path inside {folder}, found {entry!r}")
    path = folder / entry
    if "\\" in entry and not path.exists():
        raise InputError(f"{where}: folders are told apart by /, and there is no file {entry!r}; write / for \\")
    return path


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
