from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid.data import load_dataset
from reid.errors import InputError

NAMES = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000451_01.jpg", "0010_c6s4_000001_01.jpg"],
    "query": ["0001_c1s1_001051_00.jpg"],
    "bounding_box_test": ["-1_c3s1_000401_00.jpg", "0000_c1s1_000151_01.jpg", "0001_c2s1_000551_00.jpg"],
}


def make(root: Path, names: dict[str, list[str]] = NAMES) -> Path:
    for folder, files in names.items():
        (root / folder).mkdir(parents=True)
        for file in files:
            Image.new("RGB", (8, 16)).save(root / folder / file)
    return root


def test_names_junk_and_distractors(tmp_path: Path) -> None:
    dataset = load_dataset("market1501", make(tmp_path))
    assert dataset.train.identities.tolist() == [2, 2, 10]
    assert dataset.train.cameras.tolist() == [1, 2, 6]
    assert dataset.train_labels.tolist() == [0, 0, 1]
    assert dataset.gallery.identities.tolist() == [0, 1], "junk -1 is dropped, distractor 0 kept"
    assert [path.name for path in dataset.train.paths] == sorted(NAMES["bounding_box_train"])
    assert dataset.train.counts() == {"images": 3, "identities": 2, "cameras": 3}


def test_identity_comes_from_the_file_name_alone(tmp_path: Path) -> None:
    root = make(tmp_path / "run_0003_c1" / "market")
    assert set(load_dataset("market1501", root).train.identities) == {2, 10}


@pytest.mark.parametrize("camera", [1, 9, 10, 15, 123, 2048])
@pytest.mark.parametrize(
    ("layout", "name", "folders"),
    [
        ("market1501", "{identity:04d}_c{camera}s1_000451_03.jpg", tuple(NAMES)),
        ("dukemtmc", "{identity:04d}_c{camera}_f0046985.jpg", tuple(NAMES)),
        ("cuhk03_np_labeled", "{identity:04d}_c{camera}_21.png", tuple(f"labeled/{name}" for name in NAMES)),
        ("veri776", "{identity:04d}_c{camera:03d}_00030600_0.jpg", ("image_train", "image_query", "image_test")),
    ],
)
def test_cameras_are_read_whole(tmp_path: Path, layout: str, name: str, folders: tuple[str, ...], camera: int) -> None:
    for folder, identity in zip(folders, (2, 1, 1), strict=True):
        (tmp_path / folder).mkdir(parents=True)
        for number in (camera, camera + 1):
            Image.new("RGB", (8, 16)).save(tmp_path / folder / name.format(identity=identity, camera=number))
    dataset = load_dataset(layout, tmp_path)
    assert {tuple(sorted(split.cameras.tolist())) for split in dataset.splits.values()} == {(camera, camera + 1)}


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    root = make(tmp_path)
    (root / "query" / "Thumbs.db").write_bytes(b"")
    (root / "query" / "readme.jpg").write_bytes(b"not a name of the layout")
    assert len(load_dataset("market1501", root).query) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": []}, r"query: image names must look like 0002_c1s1_000451_03\.jpg; found no image"),
        ({"query": ["a.jpg", "b.jpg"]}, r"found 2 images, the first a\.jpg"),
        ({"query": ["0002_c1s1_000001_00.jpg"]}, r"in train or in query, not in both; 1 are in both \(first: 2\)"),
    ],
)
def test_bad_folders_say_what_is_wrong(tmp_path: Path, change: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_dataset("market1501", make(tmp_path, {**NAMES, **change}))


def test_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such data set folder"):
        load_dataset("market1501", tmp_path / "nowhere")
    with pytest.raises(InputError, match="query: no such folder"):
        load_dataset("market1501", tmp_path)
    with pytest.raises(InputError, match="no such layout 'market'; did you mean 'market1501'"):
        load_dataset("market", tmp_path)


def test_labels_are_contiguous(tmp_path: Path) -> None:
    labels = load_dataset("market1501", make(tmp_path)).train_labels
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))
