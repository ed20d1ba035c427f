"""A data set layout of your own: a folder a person, cameras in the file names.

    campus/train/0007/cam2_0001.jpg    campus/query/0301/cam1_0001.jpg    campus/gallery/0301/cam2_0004.jpg

In a grid file: `dataset: {name: campus, root: campus, layout: person_folders}`.
"""

import re
from pathlib import Path

import reid

CAMERA = re.compile(r"cam(\d+)_")


@reid.register_layout("person_folders", title="a folder a person", source="SPLIT/PERSON/camN_*.jpg")
def person_folders(name: str, root: Path) -> reid.BenchmarkDataset:
    train, query, gallery = (split(root / part) for part in ("train", "query", "gallery"))
    return reid.BenchmarkDataset(name, root, train, query, gallery)


def split(folder: Path) -> reid.Split:
    rows = []
    for path in folder.glob("*/*.jpg"):
        camera = CAMERA.match(path.name)
        if camera is None or not path.parent.name.isdigit():
            raise reid.InputError(f"{path}: must be PERSON/camN_*.jpg with a number as PERSON")
        rows.append((path, int(path.parent.name), int(camera[1])))
    return reid.Split.of(rows)
