"""Where a data set comes from: a layout under a folder, drawn first if it is a synthetic one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from reid.data.dataset import BenchmarkDataset
from reid.data.layouts import LAYOUTS
from reid.data.layouts.files import check_places, shown
from reid.data.split import TuningDataset, ValidationSplit, hold_out
from reid.data.synthetic import SyntheticSpec, synthesize
from reid.errors import InputError
from reid.recipe import FileName


class DatasetSource(BaseModel):
    """A data set as YAML names it. With `synthesize` the folder `root` is drawn when it is not there yet.

    With `split` its test set is left out, and a share of its training identities stands in for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: FileName
    root: Path
    layout: str = "market1501"
    synthesize: SyntheticSpec | None = None
    split: ValidationSplit | None = None

    def open(self, progress: Callable[[int, int], None] | None = None) -> BenchmarkDataset | TuningDataset:
        """Draw the data set if it is synthetic and absent, then read it."""
        if self.synthesize is not None:
            synthesize(self.root, self.synthesize, progress)
        dataset = load_dataset(self.layout, self.root, self.name)
        return dataset if self.split is None else hold_out(dataset, self.split)


def load_dataset(layout: str, root: Path | str, name: str | None = None) -> BenchmarkDataset:
    """The data set in a layout under a folder, with .train, .query and .gallery: paths, identities, cameras.

    `name` is what reports call it, by default the layout. `.notes` say where its counts are not the known ones. Raises
    InputError for an unknown layout, a folder that does not follow it, splits that do not fit together, and files
    outside the folder. Images are not opened.
    """
    found = LAYOUTS.find(layout, "dataset layout")
    try:
        dataset = found.read(name or layout, Path(root))
        dataset.check()
        check_places(dataset)
    except OSError as error:
        raise InputError(
            f"{shown(str(error.filename))}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    return dataset.noted(*found.differences(dataset), *_unmatched(dataset))


def _unmatched(dataset: BenchmarkDataset) -> list[str]:
    """A line if queries have no gallery image of their identity under another camera."""
    gallery = np.unique(np.stack([dataset.gallery.identities, dataset.gallery.cameras]), axis=1)
    identities, cameras = np.unique(gallery[0], return_counts=True)
    views = cameras[np.searchsorted(identities, dataset.query.identities)]
    pairs = {tuple(pair) for pair in gallery.T.tolist()}
    query = zip(dataset.query.identities.tolist(), dataset.query.cameras.tolist(), strict=True)
    lost = sum(views[row] == 1 and pair in pairs for row, pair in enumerate(query))
    return [f"query: {lost} images have no match under another camera and do not count"] if lost else []
