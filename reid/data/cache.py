"""Decode once: a data set's images at training size as one uint8 array on disk, keyed by content."""

import errno
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from filelock import FileLock

from reid.data.dataset import Dataset, Split
from reid.data.decode import DECODER, Pixels, decode, regular
from reid.errors import InputError
from reid.files import atomic, write_json

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


def open_dataset(
    dataset: DatasetT,
    size: tuple[int, int],
    cache: Path,
    skip_unreadable: bool = False,
    progress: Progress | None = None,
) -> DecodedDataset[DatasetT]:
    """Pixels of `dataset` at `size` (height, width) from the cache folder, decoding what is not there yet.

    The key is the hash of every image's file name, labels and bytes, so changed data are noticed. With
    `skip_unreadable` images that cannot be decoded are left out and named in `dataset.skipped`; otherwise the first
    raises InputError, as does a disk without room for the cache.
    """
    with _room(cache):
        cache.mkdir(parents=True, exist_ok=True)
        content = fingerprint(dataset, cache)
        folder = cache / f"{content}-{size[0]}x{size[1]}"
        with FileLock(cache / f"{folder.name}.lock"):
            built = _load(dataset, size, folder)
            if built is None:
                _build(dataset, size, folder, progress)
                built = _load(dataset, size, folder)
    assert built is not None, "what was just built is whole"
    arrays, unreadable = built
    if unreadable and not skip_unreadable:
        raise InputError(next(iter(unreadable.values())))
    pixels: dict[str, Pixels] = {}
    splits: dict[str, Split] = {}
    for name, split in dataset.splits.items():
        kept = [i for i, path in enumerate(split.paths) if _relative(path, dataset) not in unreadable]
        pixels[name] = arrays[name] if len(kept) == len(split) else arrays[name][kept]
        splits[name] = split.take(kept)
    dataset = replace(
        dataset, train=splits["train"], query=splits["query"], gallery=splits["gallery"], skipped=tuple(unreadable)
    )
    dataset.check()
    return DecodedDataset(dataset, pixels, content)


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
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _load(dataset: Dataset, size: tuple[int, int], folder: Path) -> tuple[dict[str, Pixels], dict[str, str]] | None:
    """The arrays by split and the unreadable images with their errors; None where they were not built whole."""
    index = read_json(folder / "index.json")
    if index is None:
        return None
    arrays: dict[str, Pixels] = {}
    for name, split in dataset.splits.items():
        try:
            arrays[name] = np.load(folder / f"{name}.npy", mmap_mode="c" if len(split) else None)
        except (OSError, ValueError, EOFError):
            return None
        if arrays[name].shape != (len(split), *size, 3) or arrays[name].dtype != np.uint8:
            return None
    return arrays, index["unreadable"]


def _build(dataset: Dataset, size: tuple[int, int], folder: Path, progress: Progress | None) -> None:
    """Decode every split into `folder`, an unreadable image as black; index.json is written last and marks it whole.

    Rows are written, not mapped: a mapped file on a full disk ends the process.
    """
    folder.mkdir(exist_ok=True)
    for left_over in folder.glob(".*.tmp"):  # by a build that was killed
        left_over.unlink()
    unreadable: dict[str, str] = {}
    done, total = 0, sum(len(split) for split in dataset.splits.values())
    for name, split in dataset.splits.items():
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
    write_json(
        folder / "index.json",
        {"dataset": dataset.name, "root": str(dataset.root.resolve()), "images": total, "unreadable": unreadable},
    )


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
