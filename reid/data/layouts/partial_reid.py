"""Partial-REID: parts of people against whole ones, for testing only."""

from reid.data.layouts.folders import Folders
from reid.data.layouts.layout import Counts, Layout
from reid.data.layouts.partial_names import EXAMPLE, NAME

FOLDERS = Folders(
    query="partial_body_images", gallery="whole_body_images", pattern=NAME, example=EXAMPLE, inner=("Partial_REID",)
)

PARTIAL_REID = Layout(
    name="partial_reid",
    title="Partial-REID",
    read=FOLDERS.read,
    source="Zheng et al. 2015; counts as FastReID documents them",
    known={"query": Counts(60, 300, None), "gallery": Counts(60, 300, None)},
)
