"""The commonest layout: a folder a split, identity and camera in every file name."""

import re
from dataclasses import dataclass
from pathlib import Path

from reid.data.dataset import BenchmarkDataset, Split
from reid.data.layouts.files import home, images_in, shown
from reid.errors import InputError

JUNK = -1


@dataclass(frozen=True)
class Folders:
    """Folder names by split and the pattern of file names, whose first two groups are identity and camera.

    `inner` are folders that archives unpack into. Without `train` the data set is for testing only.
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

        Raises InputError for a missing folder or one without a parsable name. Images whose name does not follow the
        pattern are left out with a note.
        """
        notes: list[str] = []
        folder = home(root, self.inner, self.names)
        train = self._read_split(folder / self.train, notes) if self.train else Split.of([])
        query, gallery = (self._read_split(folder / split, notes) for split in (self.query, self.gallery))
        return BenchmarkDataset(name, root, train, query, gallery, notes=tuple(notes), test_only=self.train is None)

    def _read_split(self, folder: Path, notes: list[str]) -> Split:
        images = images_in(folder, f"the layout holds {', '.join(self.names)}")
        matches = [(path, self.pattern.match(path.name)) for path in images]
        strange = [path.name for path, match in matches if match is None]
        if len(strange) == len(images):
            found = f"{len(images)} images, the first {shown(images[0].name)}" if images else "no image"
            raise InputError(f"{folder}: image names must look like {self.example}; found {found}")
        if strange:
            notes.append(
                f"{folder.name}: {len(strange)} images are left out, their names are not like {self.example} "
                f"(first: {shown(strange[0])})"
            )
        rows = [(path, int(match[1]), int(match[2])) for path, match in matches if match is not None]
        return Split.of([row for row in rows if row[1] != JUNK])
