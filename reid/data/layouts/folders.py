"""The commonest layout: a folder a split, identity and camera in every file name."""

import re
from dataclasses import dataclass
from pathlib import Path

from reid.data.dataset import BenchmarkDataset, Split
from reid.data.layouts.files import home, named_images

JUNK = -1


@dataclass(frozen=True)
class Folders:
    """Folder names by split and the pattern of file names, whose first two groups are identity and camera.

    `inner` are folders that archives unpack into. Without `train`, the name or the folder, the set is for testing only.
    """

    query: str
    gallery: str
    pattern: re.Pattern[str]
    example: str
    train: str | None = None
    inner: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [name for name in (self.train, self.query, self.gallery) if name is not None]

    def read(self, name: str, root: Path) -> BenchmarkDataset:
        """The data set under `root`. Identity and camera come from the file name alone; junk (identity −1) is dropped.

        Raises InputError for a missing folder or one without a parsable name, but for training. What is left out of a
        folder is counted in a note.
        """
        notes: list[str] = []
        folder = home(root, self.inner, self.names)
        trained = self.train and (folder / self.train).is_dir() and any((folder / self.train).iterdir())
        train = self._read_split(folder / str(self.train), notes) if trained else Split.of([])
        query, gallery = (self._read_split(folder / split, notes) for split in (self.query, self.gallery))
        return BenchmarkDataset(name, root, train, query, gallery, notes=tuple(notes))

    def _read_split(self, folder: Path, notes: list[str]) -> Split:
        layout = f"the layout holds {', '.join(self.names)}"
        found = named_images(folder, self.pattern, self.example, layout, notes)
        rows = [(path, int(match[1]), int(match[2])) for path, match in found]
        return Split.of([row for row in rows if row[1] != JUNK])
