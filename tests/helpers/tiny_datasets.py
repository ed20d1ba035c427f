"""Every layout in miniature: true folder, file, list and protocol names around generated images."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

MARKET = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000451_01.jpg", "0010_c6s4_000001_01.jpg"],
    "query": ["0001_c1s1_001051_00.jpg"],
    "bounding_box_test": ["-1_c3s1_000401_00.jpg", "0000_c1s1_000151_01.jpg", "0001_c2s1_000551_00.jpg"],
}
DUKE = {
    "bounding_box_train": ["0001_c2_f0046182.jpg", "0001_c1_f0044158.jpg", "0007_c8_f0062930.jpg"],
    "query": ["0005_c2_f0046985.jpg"],
    "bounding_box_test": ["0005_c1_f0046065.jpg", "0033_c5_f0059106.jpg"],
}
VERI = {
    "image_train": ["0001_c001_00016450_0.jpg", "0001_c020_00016470_0.jpg", "0004_c011_00077625_1.jpg"],
    "image_query": ["0002_c002_00030600_0.jpg"],
    "image_test": ["0002_c003_00084280_0.jpg", "0002_c002_00030605_0.jpg"],
}
CUHK = {
    "bounding_box_train": ["0003_c1_21.png", "0003_c2_26.png", "0004_c1_31.png"],
    "query": ["0001_c1_1.png"],
    "bounding_box_test": ["0001_c2_6.png", "0002_c2_16.png"],
}
MSMT_LISTS = {
    "list_train.txt": ["0000/0000_001_01_0303morning_0015_0.jpg 0", "0001/0001_000_15_0303noon_0020_1_ex.jpg 1"],
    "list_val.txt": ["0000/0000_045_12_0303morning_0006_2.jpg 0"],
    "list_query.txt": ["0000/0000_000_01_0303morning_0008_0.jpg 0"],
    "list_gallery.txt": ["0000/0000_002_04_0303morning_0033_1.jpg 0", "0001/0001_003_13_0302afternoon_0003_0.jpg 1"],
}
CUHK_FILES = ["1_001_1_01.png", "1_001_2_06.png", "2_010_1_02.png", "2_010_2_07.png", "5_003_2_08.png"]


def image(path: Path, colour: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 16), (colour % 256, 7, 9)).save(path)
    return path


def folders(root: Path, names: dict[str, list[str]]) -> Path:
    for folder, files in names.items():
        (root / folder).mkdir(parents=True)
        for number, file in enumerate(files):
            image(root / folder / file, 40 * number)
    return root


def under_one_camera(root: Path, copy: Path) -> Path:
    """A copy of a data set in Market's layout whose images are all of camera 1."""
    for number, file in enumerate(sorted(root.glob("*/*_c*"))):
        one = copy / file.relative_to(root).with_name(re.sub(r"_c\d+s\d+_\d+", f"_c1s1_{number:06d}", file.name))
        one.parent.mkdir(parents=True, exist_ok=True)
        one.write_bytes(file.read_bytes())
    return copy


def msmt17(root: Path, train: str = "train", test: str = "test") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for file, lines in MSMT_LISTS.items():
        (root / file).write_text("\n".join(lines) + "\n")
        for line in lines:
            image(root / (train if file in ("list_train.txt", "list_val.txt") else test) / line.split()[0])
    return root


def cuhk03_protocol(root: Path, boxes: str = "detected", changes: dict[str, object] | None = None) -> Path:
    """The release: pictures in one folder, and MATLAB's protocol with positions that count from 1."""
    for file in CUHK_FILES:
        image(root / f"images_{boxes}" / file)
    cells = np.empty((len(CUHK_FILES), 1), dtype=object)
    cells[:, 0] = CUHK_FILES
    content = {
        "filelist": cells,
        "labels": np.array([[1], [1], [2], [2], [3]], dtype=np.uint16),
        "camId": np.array([[1], [2], [1], [2], [2]], dtype=np.uint8),
        "train_idx": np.array([[2], [1]], dtype=np.uint16),
        "query_idx": np.array([[3]], dtype=np.uint8),
        "gallery_idx": np.array([[4], [5]], dtype=np.uint8),
    }
    savemat(root / f"cuhk03_new_protocol_config_{boxes}.mat", {**content, **(changes or {})})
    return root


def viper(root: Path, persons: Iterable[int] = range(10)) -> Path:
    for person in persons:
        image(root / "cam_a" / f"{person:03}_45.bmp", person)
        image(root / "cam_b" / f"{person:03}_90.bmp", person)
    return root


def partial(root: Path, query: str, gallery: str) -> Path:
    return folders(root, {query: ["001_1.jpg", "002_1.jpg"], gallery: ["001_2.jpg", "002_3.jpg", "002_1.jpg"]})


def table(root: Path) -> Path:
    lines = ["path,identity,camera,split,sequence"]
    for name, identity, camera, split in [
        ("b.jpg", 7, 1, "train"), ("a dir/é 人.jpg", 7, 2, "train"), ("junk.jpg", -1, 2, "gallery"),
        ("q.jpg", 0, 1, "query"), ("g.jpg", 0, 2, "gallery"),
    ]:  # fmt: skip
        image(root / name, camera)
        lines.append(f"{name},{identity},{camera},{split},1")
    (root / "data.csv").write_text("\n".join(lines) + "\n")
    return root


Triple = tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]

# (how it is made, train, query and gallery as (identity, camera) in the order of paths)
MINIATURES: dict[str, tuple[Callable[[Path], Path], Triple]] = {
    "market1501": (lambda root: folders(root, MARKET), ([(2, 1), (2, 2), (10, 6)], [(1, 1)], [(0, 1), (1, 2)])),
    "dukemtmc": (lambda root: folders(root, DUKE), ([(1, 1), (1, 2), (7, 8)], [(5, 2)], [(5, 1), (33, 5)])),
    "occluded_duke": (lambda root: folders(root, DUKE), ([(1, 1), (1, 2), (7, 8)], [(5, 2)], [(5, 1), (33, 5)])),
    "msmt17": (msmt17, ([(0, 1), (1, 15)], [(0, 1)], [(0, 4), (1, 13)])),
    "msmt17:trainval": (msmt17, ([(0, 1), (0, 12), (1, 15)], [(0, 1)], [(0, 4), (1, 13)])),
    "cuhk03_np_detected": (cuhk03_protocol, ([(1, 1), (1, 2)], [(2, 1)], [(2, 2), (3, 2)])),
    "cuhk03_np_labeled": (
        lambda root: folders(root / "labeled", CUHK).parent,
        ([(3, 1), (3, 2), (4, 1)], [(1, 1)], [(1, 2), (2, 2)]),
    ),
    "veri776": (lambda root: folders(root, VERI), ([(1, 1), (1, 20), (4, 11)], [(2, 2)], [(2, 2), (2, 3)])),
    "partial_reid": (
        lambda root: partial(root, "partial_body_images", "whole_body_images"),
        ([], [(1, 1), (2, 1)], [(1, 2), (2, 1), (2, 3)]),
    ),
    "partial_ilids": (
        lambda root: partial(root, "query", "gallery"),
        ([], [(1, 1), (2, 1)], [(1, 2), (2, 1), (2, 3)]),
    ),
    "occluded_reid": (
        lambda root: partial(root, "query", "gallery"),
        ([], [(1, 1), (2, 1)], [(1, 2), (2, 1), (2, 3)]),
    ),
    "csv": (table, ([(7, 2), (7, 1)], [(0, 1)], [(0, 2)])),
}
