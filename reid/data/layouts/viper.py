"""VIPeR: cam_a and cam_b with one image a person each; 10 random halvings x 2 directions are 20 splits.

There is no official list of the halvings, so they are drawn here, from a stream with a name: `viper` is the first split
and `viper:1` to `viper:19` the others. An odd split is the one before it with query and gallery exchanged.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np

from reid.data.dataset import BenchmarkDataset, Split
from reid.data.layouts.files import home, named_images
from reid.data.layouts.layout import Counts, Layout
from reid.seeding import numpy_generator

CAMERAS = ("cam_a", "cam_b")
NAME = re.compile(r"(\d{1,18})_", re.ASCII)
SPLITS = 20


def read_viper(name: str, root: Path, split: int) -> BenchmarkDataset:
    """Split `split` (0 to 19). Raises InputError where a camera's folder is missing or holds no image of the layout."""
    folder = home(root, ("VIPeR", "viper/VIPeR"), CAMERAS)
    notes: list[str] = []
    views = [_read_camera(folder / camera, number, notes) for number, camera in enumerate(CAMERAS, 1)]
    both = np.intersect1d(views[0].identities, views[1].identities)
    shuffled = numpy_generator(0, "viper", split // 2).permutation(both)
    train, test = shuffled[: len(both) // 2], shuffled[len(both) // 2 :]
    query, gallery = (_of(view, test) for view in (views if split % 2 == 0 else views[::-1]))
    alone = len(np.setxor1d(views[0].identities, views[1].identities))
    if alone:
        notes.append(f"{alone} identities under one camera only are left out")
    return BenchmarkDataset(
        name, root, Split.of(_rows(views[0], train) + _rows(views[1], train)), query, gallery, notes=tuple(notes)
    )


def _read_camera(folder: Path, camera: int, notes: list[str]) -> Split:
    found = named_images(folder, NAME, "000_45.bmp", f"the layout holds {', '.join(CAMERAS)}", notes)
    return Split.of([(path, int(match[1]), camera) for path, match in found])


def _of(view: Split, identities: np.ndarray) -> Split:
    return view.take(np.flatnonzero(np.isin(view.identities, identities)))


def _rows(view: Split, identities: np.ndarray) -> list[tuple[Path, int, int]]:
    kept = _of(view, identities)
    return list(zip(kept.paths, kept.identities.tolist(), kept.cameras.tolist(), strict=True))


VIPER = tuple(
    Layout(
        name=f"viper:{split}" if split else "viper",
        title="VIPeR",
        read=partial(read_viper, split=split),
        source="Gray et al. 2007; counts as Torchreid documents them",
        known={"train": Counts(316, 632, 2), "query": Counts(316, 316, 1), "gallery": Counts(316, 316, 1)},
    )
    for split in range(SPLITS)
)
