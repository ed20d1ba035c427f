"""Occluded-REID: occluded people against whole ones, for testing only.

As it is released: a folder of a person's images in each of two folders, which count as two cameras, as its loaders take
them. Or as FastReID has it: folders query and gallery, names of identity and camera.
"""

import re
from pathlib import Path

from reid.data.dataset import BenchmarkDataset, Split
from reid.data.layouts.files import home, named_images
from reid.data.layouts.folders import Folders
from reid.data.layouts.layout import Counts, Layout
from reid.data.layouts.partial_names import EXAMPLE, NAME

RELEASED = ("occluded_body_images", "whole_body_images")  # query and gallery
INNER = ("Occluded_REID", "ICME2018_Occluded-Person-Reidentification_datasets/Occluded_REID")
PERSON = re.compile(r"(\d{1,18})_", re.ASCII)
FAST_REID = Folders(query="query", gallery="gallery", pattern=NAME, example=EXAMPLE, inner=("OccludedREID",))


def read_occluded_reid(name: str, root: Path) -> BenchmarkDataset:
    """The data set under `root`. Raises InputError where it is laid out in neither way."""
    folder = home(root, (*INNER, *FAST_REID.inner), (*RELEASED, *FAST_REID.names))
    if not any((folder / part).is_dir() for part in RELEASED):
        return FAST_REID.read(name, root)
    notes: list[str] = []
    query, gallery = (_read_camera(folder / part, camera, notes) for camera, part in enumerate(RELEASED, 1))
    return BenchmarkDataset(name, root, Split.of([]), query, gallery, notes=tuple(notes))


def _read_camera(folder: Path, camera: int, notes: list[str]) -> Split:
    """The images in `folder`, or in the folders of persons in it, under one camera."""
    persons = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    rows = [
        (path, int(match[1]), camera)
        for place in persons or [folder]
        for path, match in named_images(place, PERSON, "001_01.tif", f"the layout holds {', '.join(RELEASED)}", notes)
    ]
    return Split.of(rows)


OCCLUDED_REID = Layout(
    name="occluded_reid",
    title="Occluded-REID",
    read=read_occluded_reid,
    source="Zhuo et al. 2018; counts as FastReID documents them",
    known={"query": Counts(200, 1000, None), "gallery": Counts(200, 1000, None)},
)
