"""Decode once: a data set's images at training size as one uint8 array on disk, keyed by content."""

import errno
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from filelock import FileLock
from pydantic import BaseModel, ValidationError

from reid.data.dataset import SPLITS, Dataset
from reid.data.decode import DECODER, FORMATS, Pixels, decode, regular
from reid.errors import InputError
from reid.files import atomic, write_json, write_record

Progress = Callable[[int, int], None]
if TYPE_CHECKING:  # a default is for type checkers, which know it before Python 3.13 does
    from typing_extensions import TypeVar as DefaultTypeVar

    DatasetT = DefaultTypeVar("DatasetT", bound=Dataset, default=Dataset)
    DatasetT_co = DefaultTypeVar("DatasetT_co", bound=Dataset, default=Dataset, covariant=True)
else:
    DatasetT = TypeVar("DatasetT", bound=Dataset)
    DatasetT_co = TypeVar("DatasetT_co", bound=Dataset, covariant=True)


@dataclass(frozen=True)
class DecodedDataset(Generic[DatasetT_co]):
    """A data set with its memory-mapped pixels, (N, H, W, 3) uint8 a split; `fingerprint` names the content."""

    dataset: DatasetT_co
    pixels: dict[str, Pixels]
    fingerprint: str


class Index(BaseModel):
    """index.json: what was decoded, by splits; it is written last, so that what it names is whole."""

    dataset: str = ""
    root: str = ""
    images: int = 0
    splits: tuple[str, ...] = SPLITS
    formats: tuple[str, ...] = ("JPEG", "PNG", "BMP")  # what could be read when this was not said yet
    unreadable: dict[str, str] = {}


def open_dataset(
    dataset: DatasetT,
    size: tuple[int, int],
    cache: Path,
    skip_unreadable: bool = False,
    progress: Progress | None = None,
    splits: Sequence[str] = SPLITS,
) -> DecodedDataset[DatasetT]:
    """Pixels of `dataset` at `size` (height, width) from the cache folder, decoding what is not there yet.

    The key is the hash of every image's file name, labels and bytes, so changed data are noticed. With
    `skip_unreadable` images that cannot be decoded are left out and named in `dataset.skipped`; otherwise the first
    raises InputError, as does a disk without room for the cache. Of `splits` only: the others are empty then.
    """
    with _room(cache):
        cache.mkdir(parents=True, exist_ok=True)
        content = fingerprint(dataset, cache)
        folder = cache / f"{content}-{size[0]}x{size[1]}"
        with FileLock(cache / f"{folder.name}.lock"):
            index = read_index(folder)
            if index.unreadable and index.formats != FORMATS:
                index = Index(splits=())  # it may be readable by now
            absent = [s for s in splits if s not in index.splits or _array(dataset, size, folder, s) is None]
            if absent:
                index = _build(dataset, size, folder, index, absent, progress)
            arrays = {name: _array(dataset, size, folder, name) for name in splits}
    asked = {name: split if name in splits else split.take([]) for name, split in dataset.splits.items()}
    files = {_relative(path, dataset) for split in asked.values() for path in split.paths}
    unreadable = {file: error for file, error in index.unreadable.items() if file in files}
    if unreadable and not skip_unreadable:
        raise InputError(next(iter(unreadable.values())))
    pixels: dict[str, Pixels] = {}
    for name, split in asked.items():
        array = arrays.get(name, np.zeros((0, *size, 3), np.uint8))
        assert array is not None, "what was just built is whole"
        kept = [i for i, path in enumerate(split.paths) if _relative(path, dataset) not in unreadable]
        pixels[name] = array if len(kept) == len(split) else array[kept]
        asked[name] = split.take(kept)
    return DecodedDataset(replace(dataset.reduced(asked), skipped=tuple(unreadable)), pixels, content)


def fingerprint(dataset: Dataset, cache: Path) -> str:
    """Hash of the names, labels and bytes of all images; a file whose size and times did not change is not read again.

    A file that cannot be read counts as such: it is `decode` that names it.
    """
    memory = cache / f"files-{hashlib.sha256(str(dataset.root.resolve()).encode()).hexdigest()[:16]}.json"
    known: dict[str, list[Any]] = read_json(memory) or {}
    files: dict[str, list[Any]] = {}
    total = hashlib.sha256(DECODER.encode())
    for name, split in dataset.splits.items():
        for path, identity, camera in zip(split.paths, split.identities, split.cameras, strict=True):
            relative = _relative(path, dataset)
            files[relative] = _checksum(path, known.get(relative))
            total.update(f"{name} {relative} {identity} {camera} {files[relative][-1]}\n".encode())
    if files != known:
        write_json(memory, files)
    return total.hexdigest()[:16]


def _checksum(path: Path, known: list[Any] | None) -> list[Any]:
    """Size, times and SHA-256 of a file; the last from `known` where the first did not change."""
    try:
        regular(path)
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        if known is not None and known[:-1] == stamp:
            return known
        with path.open("rb") as file:
            return [*stamp, hashlib.file_digest(file, "sha256").hexdigest()]
    except OSError as error:
        return [f"unreadable: {error.strerror or error}"]


def _relative(path: Path, dataset: Dataset) -> str:
    return path.relative_to(dataset.root).as_posix()


def read_json(file: Path) -> dict[str, Any] | None:
    """None where the file is absent or was damaged."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def read_index(folder: Path) -> Index:
    """What was decoded into a folder: nothing where that is not known, as its build was interrupted."""
    try:
        return Index.model_validate_json((folder / "index.json").read_bytes())
    except (OSError, ValidationError):
        return Index(splits=())


def _array(dataset: Dataset, size: tuple[int, int], folder: Path, name: str) -> Pixels | None:
    """The pixels of a split, None where they are not whole."""
    split = dataset.splits[name]
    try:
        found: Pixels = np.load(folder / f"{name}.npy", mmap_mode="c" if len(split) else None)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == (len(split), *size, 3) and found.dtype == np.uint8 else None


def _build(
    dataset: Dataset,
    size: tuple[int, int],
    folder: Path,
    known: Index,
    splits: Sequence[str],
    progress: Progress | None,
) -> Index:
    """Decode `splits` into `folder`, an unreadable image as black; returns the index of them and what is `known`.

    Rows are written, not mapped: a mapped file on a full disk ends the process.
    """
    folder.mkdir(exist_ok=True)
    for left_over in folder.glob(".*.tmp"):  # by a build that was killed
        left_over.unlink()
    unreadable = dict(known.unreadable)
    done, total = 0, sum(len(dataset.splits[name]) for name in splits)
    for name in splits:
        split = dataset.splits[name]
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(split), *size, 3)}
        with atomic(folder / f"{name}.npy") as temporary, temporary.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for path in split.paths:
                try:
                    pixels = decode(path, size)
                except InputError as error:
                    pixels = np.zeros((*size, 3), dtype=np.uint8)
                    unreadable[_relative(path, dataset)] = str(error)
                file.write(pixels.tobytes())
                done += 1
                if progress is not None:
                    progress(done, total)
    there = [name for name in SPLITS if name in splits or name in known.splits]
    index = Index(
        dataset=dataset.name,
        root=str(dataset.root.resolve()),
        images=sum(len(dataset.splits[name]) for name in there),
        splits=tuple(there),
        formats=FORMATS,
        unreadable=unreadable,
    )
    write_record(folder / "index.json", index)
    return index


@contextmanager
def _room(cache: Path) -> Iterator[None]:
    """Turn a cache folder that cannot be written into InputError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.ENOTDIR):
            raise
        raise InputError(
            f"{cache}: decoded images cannot be written ({error.strerror}); "
            "make room (`reid data cache --prune`), or give another --output"
        ) from error
