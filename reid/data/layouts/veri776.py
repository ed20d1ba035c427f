"""VeRi-776, vehicles: names like 0002_c002_00030600_0.jpg, cameras with three digits."""

import re

from reid.data.layouts.folders import Folders
from reid.data.layouts.layout import Counts, Layout

FOLDERS = Folders(
    train="image_train",
    query="image_query",
    gallery="image_test",
    pattern=re.compile(r"(\d{1,18})_c(\d{1,18})(?!\d)", re.ASCII),
    example="0002_c002_00030600_0.jpg",
    inner=("VeRi", "veri"),
)

VERI776 = Layout(
    name="veri776",
    title="VeRi-776",
    read=FOLDERS.read,
    source="Liu et al. 2016; counts as documented, cameras of the test set nobody counted",
    known={
        "train": Counts(576, 37778, 20),
        "query": Counts(200, 1678, None),
        "gallery": Counts(200, 11579, None),
    },
)
