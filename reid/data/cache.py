"""Decode once: a data set's images at training size as one uint8 array on disk, keyed by content."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image as Pillow
from PIL import ImageFile

from reid.data.dataset import Dataset, Split
from reid.errors import InputError
from reid.run_folder import atomic, write_json

# Part of every key: raise it when decoding or resizing changes.
DECODER = "pillow bilinear 1"
Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DecodedDataset:
    """A data set with its memory-mapped pixels, (N, H, W, 3) uint8 a split; `fingerprint` names the content."""

    dataset: Dataset
    pixels: dict[str, Pixels]
    fingerprint: str


def decode(path: Path, size: tuple[int, int]) -> Pixels:
    """One image as RGB uint8 (H, W, 3), resized bilinearly as the reference does.

    Raises InputError naming the file where it cannot be read whole.
    """
    try:
        with Pillow.open(path) as image:
            return np.asarray(image.convert("RGB").resize((size[1], size[0]), Pillow.Resampling.BILINEAR))
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise InputError(
            f"{path}: cannot be read as an image ({error}); replace it, or leave such images out with --skip-unreadable"
        ) from error


def open_dataset(
    dataset: Dataset,
    size: tuple[int, int],
    cache: Path,
    skip_unreadable: bool = False,
    progress: Progress | None = None,
) -> DecodedDataset:
    """Pixels of `dataset` at `size` (height, width) from the cache folder, decoding what is not there yet.

    The key is the hash of every image's file name and bytes, so changed images are noticed. With `skip_unreadable`
    images that cannot be decoded are left out and named in `dataset.skipped`; otherwise the first raises InputError.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    content = _content(dataset, cache)
    folder = cache / f"{content}-{size[0]}x{size[1]}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if not (folder / "index.json").exists():
            _build(dataset, size, folder, progress)
        index = json.loads((folder / "index.json").read_text())
    unreadable: dict[str, str] = index["unreadable"]
    if unreadable and not skip_unreadable:
        raise InputError(next(iter(unreadable.values())))
    pixels: dict[str, Pixels] = {}
    splits: dict[str, Split] = {}
    for name, split in dataset.splits.items():
        kept = [i for i, path in enumerate(split.paths) if _relative(path, dataset) not in unreadable]
        array = np.load(folder / f"{name}.npy", mmap_mode="c")
        pixels[name] = array if len(kept) == len(array) else array[kept]
        splits[name] = split.take(kept)
    dataset = replace(
        dataset, train=splits["train"], query=splits["query"], gallery=splits["gallery"], skipped=tuple(unreadable)
    )
    dataset.check()
    return DecodedDataset(dataset, pixels, content)


def _relative(path: Path, dataset: Dataset) -> str:
    return path.relative_to(dataset.root).as_posix()


def _content(dataset: Dataset, cache: Path) -> str:
    """Hash of the names and bytes of all images; a file whose size and time did not change is not read again."""
    memory = cache / f"files-{hashlib.sha256(str(dataset.root.resolve()).encode()).hexdigest()[:16]}.json"
    known: dict[str, list[Any]] = json.loads(memory.read_text()) if memory.exists() else {}
    files: dict[str, list[Any]] = {}
    total = hashlib.sha256(DECODER.encode())
    for name, split in dataset.splits.items():
        for path in split.paths:
            relative = _relative(path, dataset)
            status = path.stat()
            stamp = [status.st_size, status.st_mtime_ns]
            old = known.get(relative)
            checksum = old[2] if old and old[:2] == stamp else hashlib.sha256(path.read_bytes()).hexdigest()
            files[relative] = [*stamp, checksum]
            total.update(f"{name} {relative} {checksum}\n".encode())
    if files != known:
        cache.mkdir(parents=True, exist_ok=True)
        write_json(memory, files)
    return total.hexdigest()[:16]


def _build(dataset: Dataset, size: tuple[int, int], folder: Path, progress: Progress | None) -> None:
    """Decode every split into `folder`, an unreadable image as black; index.json is written last and marks it whole."""
    folder.mkdir(exist_ok=True)
    unreadable: dict[str, str] = {}
    done, total = 0, sum(len(split) for split in dataset.splits.values())
    for name, split in dataset.splits.items():
        with atomic(folder / f"{name}.npy") as temporary:
            pixels = np.lib.format.open_memmap(temporary, "w+", np.uint8, (len(split), *size, 3))
            for row, path in enumerate(split.paths):
                try:
                    pixels[row] = decode(path, size)
                except InputError as error:
                    unreadable[_relative(path, dataset)] = str(error)
                done += 1
                if progress is not None:
                    progress(done, total)
            pixels.flush()
    write_json(folder / "index.json", {"decoder": DECODER, "size": list(size), "unreadable": unreadable})
