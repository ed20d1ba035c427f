"""How data sets lie on disk, a file each; `LAYOUTS` has them by name."""

from reid.data.layouts.cuhk03_np import CUHK03_NP
from reid.data.layouts.dukemtmc import DUKEMTMC
from reid.data.layouts.layout import LAYOUTS, Counts, Layout, register_layout
from reid.data.layouts.market1501 import MARKET1501
from reid.data.layouts.msmt17 import MSMT17
from reid.data.layouts.occluded_duke import OCCLUDED_DUKE
from reid.data.layouts.occluded_reid import OCCLUDED_REID
from reid.data.layouts.partial_ilids import PARTIAL_ILIDS
from reid.data.layouts.partial_reid import PARTIAL_REID
from reid.data.layouts.table import CSV
from reid.data.layouts.veri776 import VERI776
from reid.data.layouts.viper import VIPER

for _layout in (
    MARKET1501, DUKEMTMC, OCCLUDED_DUKE, *MSMT17, *CUHK03_NP, *VIPER, VERI776,
    PARTIAL_REID, PARTIAL_ILIDS, OCCLUDED_REID, CSV,
):  # fmt: skip
    LAYOUTS.register(_layout.name, _layout)

__all__ = ["LAYOUTS", "Counts", "Layout", "register_layout"]
