"""Occluded-Duke: DukeMTMC-reID's images and names, in other splits."""

from dataclasses import replace

from reid.data.layouts.dukemtmc import FOLDERS as DUKE_FOLDERS
from reid.data.layouts.layout import Counts, Layout

FOLDERS = replace(DUKE_FOLDERS, inner=("Occluded_Duke",))

OCCLUDED_DUKE = Layout(
    name="occluded_duke",
    title="Occluded-Duke",
    read=FOLDERS.read,
    source="Miao et al. 2019; counted from its lists",
    known={
        "train": Counts(702, 15618, 8),
        "query": Counts(519, 2210, 8),
        "gallery": Counts(1110, 17661, 8),
    },
)
