"""What `reid data check` finds out beyond reading a layout: every image is opened."""

from collections.abc import Callable
from typing import TypeVar

from reid.data.dataset import Dataset, Split
from reid.data.decode import decode
from reid.errors import InputError

DatasetT = TypeVar("DatasetT", bound=Dataset)
Progress = Callable[[int, int], None]
SMALL = (8, 4)


def inspect(dataset: DatasetT, progress: Progress) -> tuple[dict[str, list[str]], DatasetT]:
    """The errors of images that cannot be decoded, by split; and the data set without them."""
    errors: dict[str, list[str]] = {name: [] for name in dataset.splits}
    left: dict[str, Split] = {}
    done, total = 0, sum(len(split) for split in dataset.splits.values())
    for name, split in dataset.splits.items():
        kept = []
        for position, path in enumerate(split.paths):
            try:
                decode(path, SMALL)
                kept.append(position)
            except InputError as error:
                errors[name].append(str(error))
            done += 1
            progress(done, total)
        left[name] = split.take(kept)
    return errors, dataset.reduced(left)
