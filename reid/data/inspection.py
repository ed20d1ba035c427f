"""What `reid data check` finds out beyond reading a layout: every image is opened."""

from collections.abc import Callable

from reid.data.dataset import Dataset
from reid.data.decode import decode
from reid.errors import InputError

Progress = Callable[[int, int], None]
SMALL = (8, 4)


def unreadable_images(dataset: Dataset, progress: Progress) -> dict[str, list[str]]:
    """The errors of images that cannot be decoded, by split."""
    found: dict[str, list[str]] = {name: [] for name in dataset.splits}
    done, total = 0, sum(len(split) for split in dataset.splits.values())
    for name, split in dataset.splits.items():
        for path in split.paths:
            try:
                decode(path, SMALL)
            except InputError as error:
                found[name].append(str(error))
            done += 1
            progress(done, total)
    return found
