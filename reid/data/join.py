"""Several data sets trained on as one: their identities and their cameras kept apart."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reid.data.cache import DecodedDataset
from reid.data.dataset import Dataset, Integers, Split
from reid.errors import InputError


def join(training: Sequence[DecodedDataset], evaluated: DecodedDataset) -> DecodedDataset:
    """As `join_datasets`, decoded: the pixels to train on are copied into one array in memory, unless they are one set
    that is evaluated on too, which stays as it is.
    """
    dataset = join_datasets([data.dataset for data in training], evaluated.dataset)
    if dataset is evaluated.dataset:
        return evaluated
    pixels = np.concatenate([data.pixels["train"] for data in training])
    return DecodedDataset(dataset, {**evaluated.pixels, "train": pixels}, evaluated.fingerprint)


def join_datasets(training: Sequence[Dataset], evaluated: Dataset) -> Dataset:
    """The training images of `training`, in their order, with the query and gallery of `evaluated`.

    One set that is trained and evaluated on stays as it is. Otherwise identities and cameras to train on are numbered
    anew, those of one set after those of the one before, so that no two sets share any. Name, root and test images are
    those of `evaluated`. Raises InputError where a set is for testing only, and where a test set would be joined with
    validation identities.
    """
    if len(training) == 1 and training[0] is evaluated:
        return evaluated
    for part in training:
        if part.test_only:
            raise InputError(
                f"train_on: {part.name} has no training images, it is for testing only; train on another data set"
            )
    if len({type(part) for part in (*training, evaluated)}) > 1:
        raise InputError(
            f"split: {evaluated.name} and {', '.join(part.name for part in training)} must all have one or none: "
            "tuning never sees a test set"
        )
    train = Split(
        tuple(path for part in training for path in part.train.paths),
        _apart([part.train.identities for part in training]),
        _apart([part.train.cameras for part in training]),
    )
    return replace(evaluated, train=train, numbering_restarts=True)


def _apart(labels: Sequence[Integers]) -> Integers:
    """Labels from 0 on, in the order of each part's own, those of a part after all of the part before it."""
    found, first = [], 0
    for part in labels:
        names, numbers = np.unique(part, return_inverse=True)
        found.append(numbers.astype(np.int64) + first)
        first += len(names)
    return np.concatenate(found)
