"""Occluded-REID: occluded people against whole ones, for testing only."""

from reid.data.layouts.folders import Folders
from reid.data.layouts.layout import Counts, Layout
from reid.data.layouts.partial_names import EXAMPLE, NAME

FOLDERS = Folders(query="query", gallery="gallery", pattern=NAME, example=EXAMPLE, inner=("OccludedREID",))

OCCLUDED_REID = Layout(
    name="occluded_reid",
    title="Occluded-REID",
    read=FOLDERS.read,
    source="Zhuo et al. 2018; counts as FastReID documents them",
    known={"query": Counts(200, 1000, None), "gallery": Counts(200, 1000, None)},
)
