"""Partial-iLIDS: people cut off by others and by luggage, against whole ones, for testing only."""

from reid.data.layouts.folders import Folders
from reid.data.layouts.layout import Counts, Layout
from reid.data.layouts.partial_names import EXAMPLE, NAME

FOLDERS = Folders(query="query", gallery="gallery", pattern=NAME, example=EXAMPLE, inner=("PartialiLIDS",))

PARTIAL_ILIDS = Layout(
    name="partial_ilids",
    title="Partial-iLIDS",
    read=FOLDERS.read,
    source="He et al. 2018; counts as FastReID documents them",
    known={"query": Counts(119, 119, None), "gallery": Counts(119, 119, None)},
)
