"""What every data set is to the rest of the code: three splits of labelled image files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reid.errors import InputError

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Split:
    """Image files (sorted) with the identity and camera of each, both (N,)."""

    paths: tuple[Path, ...]
    identities: Integers
    cameras: Integers

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, keep: Sequence[int]) -> "Split":
        """The images at the given positions, in that order."""
        positions = np.asarray(keep, dtype=np.int64)
        return Split(tuple(self.paths[i] for i in positions), self.identities[positions], self.cameras[positions])

    def counts(self) -> dict[str, int]:
        return {
            "images": len(self),
            "identities": len(np.unique(self.identities)),
            "cameras": len(np.unique(self.cameras)),
        }


@dataclass(frozen=True)
class Dataset:
    """Training images and the query and gallery they are never mixed with.

    `identities` and `cameras` are those of the file names; `train_labels` are 0..C−1. `skipped` names the unreadable
    images that were left out on request.
    """

    name: str
    root: Path
    train: Split
    query: Split
    gallery: Split
    skipped: tuple[str, ...] = field(default=())

    @property
    def splits(self) -> dict[str, Split]:
        return {"train": self.train, "query": self.query, "gallery": self.gallery}

    @property
    def train_labels(self) -> Integers:
        """Contiguous labels (N,) of the training images, in ascending order of identity."""
        return np.unique(self.train.identities, return_inverse=True)[1].astype(np.int64)

    @property
    def num_classes(self) -> int:
        return len(np.unique(self.train.identities))

    def check(self) -> None:
        """Raise InputError where training or evaluation on this data would be meaningless."""
        for name, split in self.splits.items():
            if len(split) == 0:
                raise InputError(f"{self.root}: the {name} split holds no image; check that the folder is complete")
        shared = np.intersect1d(self.train.identities, self.query.identities)
        if len(shared):
            raise InputError(
                f"{self.root}: an identity must be in train or in query, not in both; "
                f"{len(shared)} are in both (first: {shared[0]})"
            )
        absent = np.setdiff1d(self.query.identities, self.gallery.identities)
        if len(absent):
            raise InputError(
                f"{self.root}: query identities must be in the gallery; {len(absent)} are not (first: {absent[0]}); "
                "check that bounding_box_test is complete"
            )
