"""Data sets for programs: one call from a folder to pixels."""

import os
from pathlib import Path

from reid.data import BenchmarkDataset, Cameras, DecodedDataset, load_dataset
from reid.data import open_dataset as decode_dataset


def open_dataset(
    layout: str,
    root: str | Path,
    size: tuple[int, int] = (256, 128),
    cache: str | Path | None = None,
    skip_unreadable: bool = False,
    cameras: Cameras = "labelled",
) -> DecodedDataset[BenchmarkDataset]:
    """The data set under `root` with its images decoded at `size` (height, width): a recipe's `image.size`.

    `layout` is one of `reid list layouts`, such as "market1501". Decoded images are kept in `cache`, by default the
    user's cache folder. `cameras` "none" is for data without any, as of `load_dataset`. Raises InputError where the
    data set cannot be read, or has an unreadable image that is not to be left out (`skip_unreadable`).
    """
    dataset = load_dataset(layout, root, cameras=cameras)
    return decode_dataset(dataset, size, Path(cache) if cache is not None else user_cache(), skip_unreadable)


def user_cache() -> Path:
    """Where decoded images are kept for programs that name no folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "reid"
