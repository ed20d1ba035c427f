"""Where a data set comes from: a layout under a folder, drawn first if it is a synthetic one."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from reid.data.dataset import BenchmarkDataset
from reid.data.layouts import LAYOUTS
from reid.data.layouts.files import check_places, shown
from reid.data.split import TuningDataset, ValidationSplit, hold_out
from reid.data.synthetic import SyntheticSpec, synthesize
from reid.errors import InputError
from reid.recipe import FileName

Cameras = Literal["labelled", "none"]
NO_CAMERAS = (
    "cameras: none: every gallery image of a query's identity counts as a match, one of the same moment too; "
    "such scores are higher than those of the protocol that leaves out the query's camera, and do not compare with them"
)

ONLY_TESTED = "train: no image, so it can be evaluated on and not trained on"


class DatasetSource(BaseModel):
    """A data set as YAML names it. With `synthesize` the folder `root` is drawn when it is not there yet.

    With `split` its test set is left out, and a share of its training identities stands in for it. `cameras` is "none"
    for data that have none: then every other gallery image of a query's identity is a match.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: FileName
    root: Annotated[Path, AfterValidator(lambda path: Path(os.path.expanduser(path)))]  # noqa: PTH111 - never raises
    layout: str = "market1501"
    cameras: Cameras = "labelled"
    synthesize: SyntheticSpec | None = None
    split: ValidationSplit | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_no_path(cls, source: object) -> object:
        if isinstance(source, str):
            raise ValueError(f"must be the name and the folder of a data set: {{name: market, root: {source}}}")
        return source

    def open(self, progress: Callable[[int, int], None] | None = None) -> BenchmarkDataset | TuningDataset:
        """Draw the data set if it is synthetic and absent, then read it."""
        if self.synthesize is not None:
            synthesize(self.root, self.synthesize, progress)
        dataset = load_dataset(self.layout, self.root, self.name, self.cameras)
        return dataset if self.split is None else hold_out(dataset, self.split)


def load_dataset(
    layout: str, root: Path | str, name: str | None = None, cameras: Cameras = "labelled"
) -> BenchmarkDataset:
    """The data set in a layout under a folder, with .train, .query and .gallery: paths, identities, cameras.

    `name` is what reports call it, by default the layout. `cameras` "none" is for data that have none: every other
    gallery image of a query's identity is then a match. `.notes` say where its counts are not the known ones. Raises
    InputError for an unknown layout, a folder that does not follow it, splits that do not fit together, and files
    outside the folder. Images are not opened.
    """
    found = LAYOUTS.find(layout, "dataset layout")
    try:
        dataset = found.read(name or layout, Path(os.path.expanduser(root)))  # noqa: PTH111 - never raises
        dataset.check()
        check_places(dataset)
    except OSError as error:
        raise InputError(
            f"{shown(str(error.filename))}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    dataset = dataset.noted(*([ONLY_TESTED] if dataset.test_only else []), *found.differences(dataset))
    if cameras == "none":
        dataset = _without_cameras(dataset).noted(NO_CAMERAS)
    return dataset.noted(*dataset.unmatched())


def _without_cameras(dataset: BenchmarkDataset) -> BenchmarkDataset:
    """The same, each file under a camera of its own: nothing but a query itself is left out of its ranking."""
    files = sorted({path for split in dataset.splits.values() for path in split.paths})
    numbers = {path: number for number, path in enumerate(files, 1)}
    return dataset.with_splits(
        {
            name: replace(split, cameras=np.array([numbers[path] for path in split.paths], dtype=np.int64))
            for name, split in dataset.splits.items()
        }
    )
