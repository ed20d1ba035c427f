"""What every data set is to the rest of the code: three splits of labelled image files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from reid.errors import InputError

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Split:
    """Image files (sorted) with the identity and camera of each, both (N,)."""

    paths: tuple[Path, ...]
    identities: Integers
    cameras: Integers

    @classmethod
    def of(cls, rows: Sequence[tuple[Path, int, int]]) -> "Split":
        """From (path, identity, camera) in any order."""
        rows = sorted(rows, key=lambda row: row[0].as_posix())
        identities, cameras = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 2).T
        return cls(tuple(row[0] for row in rows), identities, cameras)

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, keep: Sequence[int] | Integers) -> "Split":
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
    """Training images, and a query and gallery of other people to evaluate on.

    Either a `BenchmarkDataset`, whose query and gallery are the test set, or a `TuningDataset`, which has none of it.
    `identities` and `cameras` are those of the source; `train_labels` are 0..C−1. `skipped` names the unreadable images
    that were left out on request, `notes` says in one line each what a reader should know of the data.
    """

    name: str
    root: Path
    train: Split
    query: Split
    gallery: Split
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    test_only: bool = False
    numbering_restarts: bool = False  # identity n in query is another person than identity n in train

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

    def noted(self, *notes: str) -> Self:
        """The same with more notes."""
        return replace(self, notes=self.notes + notes)

    def check(self) -> None:
        """Raise InputError where training or evaluation on this data would be meaningless."""
        for name, split in self.splits.items():
            if len(split) == 0 and not (name == "train" and self.test_only):
                raise InputError(f"{self.root}: the {name} split holds no image; check that the data set is complete")
        shared = np.intersect1d(self.train.identities, self.query.identities)
        if len(shared) and not self.numbering_restarts:
            raise InputError(
                f"{self.root}: an identity must be in train or in query, not in both; "
                f"{len(shared)} are in both (first: {shared[0]})"
            )
        absent = np.setdiff1d(self.query.identities, self.gallery.identities)
        if len(absent):
            raise InputError(
                f"{self.root}: query identities must be in the gallery; {len(absent)} are not (first: {absent[0]}); "
                "check that the gallery is complete"
            )


@dataclass(frozen=True)
class BenchmarkDataset(Dataset):
    """A data set with its test set: what results are reported on, and never tuned on."""
