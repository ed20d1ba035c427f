"""Where a data set comes from: a layout under a folder, drawn first if it is a synthetic one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reid.data.dataset import Dataset
from reid.data.market1501 import read_market1501
from reid.data.synthetic import SyntheticSpec, synthesize
from reid.errors import InputError

LAYOUTS: dict[str, Callable[[str, Path], Dataset]] = {"market1501": read_market1501}


class DatasetSource(BaseModel):
    """A data set as YAML names it. With `synthesize` the folder `root` is drawn when it is not there yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    root: Path
    layout: str = "market1501"
    synthesize: SyntheticSpec | None = None

    def open(self, progress: Callable[[int, int], None] | None = None) -> Dataset:
        """Draw the data set if it is synthetic and absent, then read it."""
        if self.synthesize is not None:
            synthesize(self.root, self.synthesize, progress)
        return load_dataset(self.layout, self.root, self.name)


def load_dataset(layout: str, root: Path | str, name: str | None = None) -> Dataset:
    """The data set in a layout under a folder, with .train, .query and .gallery: paths, identities, cameras.

    `name` is what reports call it, by default the layout. Raises InputError for an unknown layout or a folder that does
    not follow it.
    """
    if layout not in LAYOUTS:
        raise InputError(f"dataset layout: unknown layout {layout!r}; known: {', '.join(sorted(LAYOUTS))}")
    return LAYOUTS[layout](name or layout, Path(root))
