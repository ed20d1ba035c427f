"""Validation identities held out of the training part, so that tuning never sees the test set.

A `BenchmarkDataset` has the test set, a `TuningDataset` has none of it. Tuning asks for the second type and results are
reported on the first, so a mistake does not pass the type checker.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from reid.data.dataset import BenchmarkDataset, Dataset
from reid.errors import InputError
from reid.seeding import numpy_generator


class ValidationSplit(BaseModel):
    """`split: {validation_identities: 0.2}` in YAML: the share of training identities to hold out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_identities: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class TuningDataset(Dataset):
    """A part of a data set's training identities, and the others of them as query and gallery."""


def hold_out(dataset: BenchmarkDataset, split: ValidationSplit) -> TuningDataset:
    """The training part of `dataset` in two: identities to train on, and identities to evaluate on.

    The share is of all training identities, drawn from those seen by two cameras or more. Of each, one image a camera
    is a query and all images are the gallery: ranking leaves a query's own camera out, so every query has a match.
    The draw depends on the data alone. Raises InputError where too few identities have two cameras.
    """
    train = dataset.train
    identities = np.unique(train.identities)
    seen = np.unique(np.stack([train.identities, train.cameras]), axis=1)[0]
    eligible, cameras = np.unique(seen, return_counts=True)
    eligible = eligible[cameras >= 2]
    count = max(1, round(split.validation_identities * len(identities)))
    if count > len(eligible) or count == len(identities):
        raise InputError(
            f"split.validation_identities: {split.validation_identities} of the {len(identities)} training identities "
            f"of {dataset.name} are {count}, but only {len(eligible)} are seen by two cameras; lower the share"
        )
    generator = numpy_generator(0, "validation identities")
    held = np.isin(train.identities, generator.choice(eligible, count, replace=False))
    gallery = train.take(np.flatnonzero(held))
    order = generator.permutation(len(gallery))
    pairs = np.stack([gallery.identities, gallery.cameras])[:, order]
    first = order[np.unique(pairs, axis=1, return_index=True)[1]]
    kept = tuple(note for note in dataset.notes if note not in dataset.unmatched())  # it is about the test set
    return TuningDataset(
        dataset.name, dataset.root, train.take(np.flatnonzero(~held)), gallery.take(np.sort(first)), gallery,
        notes=(*kept, f"evaluated on {count} identities held out of the training part, not on the test set"),
    )  # fmt: skip
