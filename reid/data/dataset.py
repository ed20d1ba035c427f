"""What every data set is to the rest of the code: three splits of labelled image files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from reid.errors import InputError

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
SPLITS = ("train", "query", "gallery")


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
    that were left out on request, `notes` says in one line each what a reader should know of the data. Either part may
    be empty: a set is `test_only` without training images, and may be trained on without a query.
    """

    name: str
    root: Path
    train: Split
    query: Split
    gallery: Split
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    numbering_restarts: bool = False  # identity n in query is another person than identity n in train

    @property
    def splits(self) -> dict[str, Split]:
        return {"train": self.train, "query": self.query, "gallery": self.gallery}

    @property
    def test_only(self) -> bool:
        return len(self.train) == 0

    @property
    def matched(self) -> Flags:
        """Whether each query (Q,) has a match: a gallery image of its identity under another camera."""
        pairs = set(zip(self.gallery.identities.tolist(), self.gallery.cameras.tolist(), strict=True))
        views = Counter(identity for identity, _ in pairs)
        asked = zip(self.query.identities.tolist(), self.query.cameras.tolist(), strict=True)
        return np.array([views[pair[0]] > (pair in pairs) for pair in asked], dtype=bool)

    @property
    def distractors(self) -> Flags:
        """Which gallery images (G,) are of nobody: of an identity up to 0 that no query asks for."""
        ids = self.gallery.identities
        return (ids <= 0) & ~np.isin(ids, self.query.identities)

    @property
    def train_labels(self) -> Integers:
        """Contiguous labels (N,) of the training images, in ascending order of identity."""
        return np.unique(self.train.identities, return_inverse=True)[1].astype(np.int64)

    @property
    def num_classes(self) -> int:
        return len(np.unique(self.train.identities))

    def with_splits(self, splits: Mapping[str, Split]) -> Self:
        """The same with other images."""
        return replace(self, train=splits["train"], query=splits["query"], gallery=splits["gallery"])

    def reduced(self, splits: Mapping[str, Split]) -> Self:
        """The same with fewer images, which may leave more queries without a match."""
        found = self.with_splits(splits)
        notes = (*(note for note in self.notes if note not in self.unmatched()), *found.unmatched())
        return replace(found, notes=notes)

    def noted(self, *notes: str) -> Self:
        """The same with more notes."""
        return replace(self, notes=self.notes + notes)

    def check(self) -> None:
        """Raise InputError where an identity is both trained on and asked for."""
        shared = np.intersect1d(self.train.identities, self.query.identities)
        if len(shared) and not self.numbering_restarts:
            raise InputError(
                f"{self.root}: an identity must be in train or in query, not in both; "
                f"{len(shared)} are in both (first: {shared[0]})"
            )

    def require_evaluable(self) -> None:
        """Raise InputError where no query has a match, so that there is nothing to measure."""
        for name, split in (("query", self.query), ("gallery", self.gallery)):
            if len(split) == 0:
                raise InputError(f"{self.root}: the {name} split holds no image; check that the data set is complete")
        if not self.matched.any():
            raise InputError(
                f"{self.root}: none of the {len(self.query)} queries has a match, a gallery image of its identity "
                "under another camera; check both, or say `cameras: none` (--cameras none) if there are none"
            )

    def unmatched(self) -> tuple[str, ...]:
        """A line if queries have no match."""
        lost = int((~self.matched).sum())
        return (f"query: {lost} images have no match under another camera and do not count",) if lost else ()


@dataclass(frozen=True)
class BenchmarkDataset(Dataset):
    """A data set with its test set: what results are reported on, and never tuned on."""
