import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from reid.data import load_dataset, open_dataset
from reid.data.cache import decode
from reid.errors import InputError


@pytest.fixture
def root(tiny_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_root, tmp_path / "copy"))


def test_pixels_are_the_decoded_files(root: Path, tmp_path: Path) -> None:
    data = open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "cache")
    for name, split in data.dataset.splits.items():
        assert data.pixels[name].shape == (len(split), 32, 16, 3)
        np.testing.assert_array_equal(data.pixels[name][-1], decode(split.paths[-1], (32, 16)))


def test_decoded_once_and_keyed_by_content_not_place(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = open_dataset(load_dataset("market1501", root), (32, 16), cache)
    index = cache / f"{first.fingerprint}-32x16" / "index.json"
    stamp = index.stat().st_mtime_ns
    moved = Path(shutil.copytree(root, tmp_path / "elsewhere"))
    assert open_dataset(load_dataset("market1501", moved), (32, 16), cache).fingerprint == first.fingerprint
    assert index.stat().st_mtime_ns == stamp
    assert open_dataset(load_dataset("market1501", root), (16, 8), cache).pixels["train"].shape[1:3] == (16, 8)


def test_a_changed_image_is_noticed(root: Path, tmp_path: Path) -> None:
    before = open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "cache")
    path = before.dataset.train.paths[0]
    shutil.copy(before.dataset.train.paths[1], path)
    os.utime(path, ns=(1, 1))
    after = open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "cache")
    assert after.fingerprint != before.fingerprint
    np.testing.assert_array_equal(after.pixels["train"][0], before.pixels["train"][1])


def test_a_truncated_image_is_named_or_skipped_and_counted(root: Path, tmp_path: Path) -> None:
    victim = load_dataset("market1501", root).train.paths[2]
    victim.write_bytes(victim.read_bytes()[:300])
    dataset = load_dataset("market1501", root)
    for _ in range(2):  # decoding, and from the cache
        with pytest.raises(InputError, match=rf"{victim.name}: cannot be read as an image .*--skip-unreadable"):
            open_dataset(dataset, (32, 16), tmp_path / "cache")
    data = open_dataset(dataset, (32, 16), tmp_path / "cache", skip_unreadable=True)
    assert data.dataset.skipped == (f"bounding_box_train/{victim.name}",)
    assert len(data.pixels["train"]) == len(data.dataset.train) == len(dataset.train) - 1
    np.testing.assert_array_equal(data.pixels["train"][2], decode(dataset.train.paths[3], (32, 16)))


def test_a_build_that_was_killed_is_done_again(root: Path, tmp_path: Path) -> None:
    dataset = load_dataset("market1501", root)
    whole = open_dataset(dataset, (32, 16), tmp_path / "cache")
    folder = tmp_path / "cache" / f"{whole.fingerprint}-32x16"
    expected = np.array(whole.pixels["query"])
    (folder / "index.json").unlink()
    (folder / "query.npy").write_bytes(b"half")
    np.testing.assert_array_equal(open_dataset(dataset, (32, 16), tmp_path / "cache").pixels["query"], expected)
