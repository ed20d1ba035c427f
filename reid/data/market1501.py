"""Market-1501's layout: bounding_box_train, query, bounding_box_test with names like 0002_c1s1_000451_03.jpg."""

import re
from pathlib import Path

import numpy as np

from reid.data.dataset import Dataset, Split
from reid.errors import InputError

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
NAME = re.compile(r"^(-1|\d+)_c(\d)")
SUFFIXES = {".jpg", ".jpeg", ".png"}
JUNK = -1


def read_market1501(name: str, root: Path) -> Dataset:
    """The data set under `root`, files sorted by name.

    Identity and camera come from the file name alone; junk (identity −1) is dropped, distractors (identity 0) stay
    in the gallery. Raises InputError for a missing folder, a folder without a parsable name, or splits that do not fit
    together. Source: Zheng et al. 2015; reid-strong-baseline data/datasets/market1501.py.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such data set folder; give the folder that holds {', '.join(FOLDERS)}")
    train, query, gallery = (_read_split(root / folder) for folder in FOLDERS)
    dataset = Dataset(name, root, train, query, gallery)
    dataset.check()
    return dataset


def _read_split(folder: Path) -> Split:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; a Market-1501 layout holds {', '.join(FOLDERS)}")
    paths: list[Path] = []
    labels: list[tuple[int, int]] = []
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    for path in images:
        match = NAME.match(path.name)
        if match is None:
            continue
        identity = int(match[1])
        if identity != JUNK:
            paths.append(path)
            labels.append((identity, int(match[2])))
    if not paths:
        found = f"{len(images)} images, the first {images[0].name}" if images else "no image"
        raise InputError(f"{folder}: image names must look like 0002_c1s1_000451_03.jpg; found {found}")
    identities, cameras = np.array(labels, dtype=np.int64).T
    return Split(tuple(paths), identities, cameras)
