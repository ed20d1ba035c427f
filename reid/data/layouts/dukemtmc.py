"""DukeMTMC-reID: Market's folders, names like 0005_c2_f0046985.jpg. Retracted by its authors: do not pass it on."""

from dataclasses import replace

from reid.data.layouts.layout import Counts, Layout
from reid.data.layouts.market1501 import FOLDERS as MARKET_FOLDERS

FOLDERS = replace(
    MARKET_FOLDERS, example="0005_c2_f0046985.jpg", inner=("DukeMTMC-reID", "dukemtmc-reid/DukeMTMC-reID")
)

DUKEMTMC = Layout(
    name="dukemtmc",
    title="DukeMTMC-reID",
    read=FOLDERS.read,
    source="Ristani et al. 2016, Zheng et al. 2017; counts as its authors document them",
    known={
        "train": Counts(702, 16522, 8),
        "query": Counts(702, 2228, 8),
        "gallery": Counts(1110, 17661, 8),  # 408 of them are distractors
    },
)
