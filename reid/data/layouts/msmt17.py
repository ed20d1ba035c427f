"""MSMT17 V1 and V2: folders of images and lists of "path identity"; the camera stands in the path.

The lists of both versions name the same images; V2 has blurred faces. Test identities are numbered from 0 again.
"""

from functools import partial
from pathlib import Path

from reid.data.dataset import BenchmarkDataset, Split
from reid.data.layouts.files import home, listed, number, text_of, unique
from reid.data.layouts.layout import Counts, Layout
from reid.errors import InputError

LISTS = ("list_query.txt", "list_gallery.txt")
VERSIONS = (("train", "test"), ("mask_train_v2", "mask_test_v2"))
INNER = tuple(f"{outer}{version}" for outer in ("", "msmt17/") for version in ("MSMT17_V1", "MSMT17_V2"))
CAMERA = 2  # field of 0000/0000_045_12_0303morning_0006_2.jpg between underscores


def read_msmt17(name: str, root: Path, train_lists: tuple[str, ...]) -> BenchmarkDataset:
    """The data set under `root`, trained on what `train_lists` name; for testing only where none of them is there.

    Raises InputError for a missing or bad list.
    """
    both = [version for version in INNER if (root / version).is_dir()]
    if len(both) > 1:
        raise InputError(f"{root}: holds {' and '.join(both)}; give the folder of one of them")
    folder = home(root, INNER, LISTS)
    versions = [version for version in VERSIONS if (folder / version[1]).is_dir()]
    if not versions:
        raise InputError(f"{folder}: must hold a folder {' or '.join(version[1] for version in VERSIONS)}")
    train, test = versions[0]
    there = train_lists if any((folder / file).exists() for file in train_lists) else ()
    rows = [row for file in there for row in _read_list(folder / file, folder / train)]
    unique((row[0] for row in rows), folder / train_lists[0])
    query, gallery = (_read_list(folder / file, folder / test) for file in LISTS)
    return BenchmarkDataset(name, root, Split.of(rows), Split.of(query), Split.of(gallery), numbering_restarts=True)


def _read_list(file: Path, images: Path) -> list[tuple[Path, int, int]]:
    rows = []
    for count, line in enumerate(text_of(file).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{file}:{count}"
        entry, _, identity = line.strip().rpartition(" ")
        fields = entry.split("_")
        if len(fields) <= CAMERA:
            raise InputError(
                f"{where}: must be like 0000/0000_045_12_0303morning_0006_2.jpg 0 (path, identity), found {line!r}"
            )
        path = listed(images, entry, where)
        rows.append((path, number(identity, "identity", where), number(fields[CAMERA], "camera", where)))
    unique((row[0] for row in rows), file)
    return rows


TEST = {"query": Counts(3060, 11659, 15), "gallery": Counts(3060, 82161, 15)}
SOURCE = "Wei et al. 2018; counted from the lists of V1"

MSMT17 = (
    Layout(
        name="msmt17",
        title="MSMT17 V1 or V2",
        read=partial(read_msmt17, train_lists=("list_train.txt",)),
        source=SOURCE,
        known={"train": Counts(1041, 30248, 15), **TEST},
    ),
    Layout(
        name="msmt17:trainval",
        title="MSMT17 with list_val",
        read=partial(read_msmt17, train_lists=("list_train.txt", "list_val.txt")),
        source=SOURCE,
        known={"train": Counts(1041, 32621, 15), **TEST},
    ),
)
