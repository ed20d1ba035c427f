"""Market-1501, and any folder in its layout: names like 0002_c1s1_000451_03.jpg, −1 junk, 0 distractors."""

import re

from reid.data.layouts.folders import Folders
from reid.data.layouts.layout import Counts, Layout

NAME = re.compile(r"(-1|\d{1,18})_c(\d{1,18})(?!\d)", re.ASCII)

FOLDERS = Folders(
    train="bounding_box_train",
    query="query",
    gallery="bounding_box_test",
    pattern=NAME,
    example="0002_c1s1_000451_03.jpg",
    inner=("Market-1501-v15.09.15",),
)

MARKET1501 = Layout(
    name="market1501",
    title="Market-1501",
    read=FOLDERS.read,
    source="Zheng et al. 2015; counted from the data set's label files",
    known={
        "train": Counts(751, 12936, 6),
        "query": Counts(750, 3368, 6),
        "gallery": Counts(751, 15913, 6),  # without 3,819 junk images; identity 0 are 2,798 distractors
    },
    shared=True,
)
