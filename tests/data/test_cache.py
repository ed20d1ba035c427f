import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from reid.data import load_dataset, open_dataset
from reid.data.cache import fingerprint
from reid.data.cache_entries import entries, prune
from reid.data.decode import decode
from reid.errors import InputError
from tests.helpers.tiny_datasets import partial, table


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


def test_changed_bytes_are_noticed_behind_an_old_time(root: Path, tmp_path: Path) -> None:
    before = open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "cache")
    path, other = before.dataset.train.paths[:2]
    stamp = path.stat()
    content = other.read_bytes()[: stamp.st_size]
    path.write_bytes(content + bytes(stamp.st_size - len(content)))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert fingerprint(load_dataset("market1501", root), tmp_path / "cache") != before.fingerprint


def test_other_labels_are_other_data(tmp_path: Path) -> None:
    table(tmp_path / "data")
    file = tmp_path / "data" / "data.csv"
    before = fingerprint(load_dataset("csv", file), tmp_path)
    file.write_text(file.read_text().replace("b.jpg,7,1", "b.jpg,8,1"))
    assert fingerprint(load_dataset("csv", file), tmp_path) != before


def test_an_image_that_is_gone_is_named_or_skipped(root: Path, tmp_path: Path) -> None:
    dataset = load_dataset("market1501", root)
    dataset.train.paths[0].unlink()
    with pytest.raises(InputError, match=rf"{dataset.train.paths[0].name}: cannot be read .* \(No such file"):
        open_dataset(dataset, (32, 16), tmp_path / "cache")
    data = open_dataset(dataset, (32, 16), tmp_path / "cache", skip_unreadable=True)
    assert len(data.dataset.train) == len(dataset.train) - 1


@pytest.mark.parametrize("damage", ["train.npy", "index.json", "files-*.json"])
def test_a_damaged_cache_is_built_again(root: Path, tmp_path: Path, damage: str) -> None:
    dataset = load_dataset("market1501", root)
    whole = open_dataset(dataset, (32, 16), tmp_path / "cache")
    expected = np.array(whole.pixels["train"])
    (victim,) = (tmp_path / "cache").rglob(damage)
    victim.write_bytes(victim.read_bytes()[:-100])
    again = open_dataset(dataset, (32, 16), tmp_path / "cache")
    assert again.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(again.pixels["train"], expected)


def test_a_set_for_testing_only_is_opened(tmp_path: Path) -> None:
    root = partial(tmp_path / "data", "query", "gallery")
    data = open_dataset(load_dataset("occluded_reid", root), (32, 16), tmp_path / "cache")
    assert [len(pixels) for pixels in data.pixels.values()] == [0, 2, 3]


def test_what_is_tested_on_is_decoded_alone_and_the_rest_added_later(root: Path, tmp_path: Path) -> None:
    dataset = load_dataset("market1501", root)
    dataset.train.paths[0].write_bytes(b"broken")  # which is nothing to a test
    dataset = load_dataset("market1501", root)
    tested = open_dataset(dataset, (32, 16), tmp_path / "cache", splits=("query", "gallery"))
    assert {name: len(part) for name, part in tested.dataset.splits.items()} == {
        "train": 0, "query": len(dataset.query), "gallery": len(dataset.gallery),
    }  # fmt: skip
    (entry,) = entries(tmp_path / "cache")
    assert {file.name for file in entry.folder.iterdir()} == {"query.npy", "gallery.npy", "index.json"}
    assert entry.images == len(dataset.query) + len(dataset.gallery)
    stamp = (entry.folder / "query.npy").stat().st_mtime_ns
    whole = open_dataset(dataset, (32, 16), tmp_path / "cache", skip_unreadable=True)
    assert whole.fingerprint == tested.fingerprint
    assert len(whole.pixels["train"]) == len(dataset.train) - 1
    assert (entry.folder / "query.npy").stat().st_mtime_ns == stamp
    assert entries(tmp_path / "cache")[0].images == sum(map(len, dataset.splits.values()))


def test_what_a_decoder_of_fewer_formats_could_not_read_is_tried_again(root: Path, tmp_path: Path) -> None:
    victim = load_dataset("market1501", root).train.paths[0]
    Image.new("RGB", (8, 16), (9, 9, 9)).save(victim, "WEBP", lossless=True)
    dataset = load_dataset("market1501", root)
    whole = open_dataset(dataset, (32, 16), tmp_path / "cache")
    index = tmp_path / "cache" / f"{whole.fingerprint}-32x16" / "index.json"
    relative = victim.relative_to(root).as_posix()
    index.write_text(json.dumps({"dataset": "old", "root": "", "images": 1, "unreadable": {relative: "not a JPEG"}}))
    again = open_dataset(dataset, (32, 16), tmp_path / "cache")
    assert (again.pixels["train"][0] == 9).all()
    assert again.dataset.skipped == ()


def test_a_cache_of_before_is_taken_as_it_is(root: Path, tmp_path: Path) -> None:
    dataset = load_dataset("market1501", root)
    whole = open_dataset(dataset, (32, 16), tmp_path / "cache")
    index = tmp_path / "cache" / f"{whole.fingerprint}-32x16" / "index.json"
    index.write_text(json.dumps({"dataset": "old", "root": "", "images": 1, "unreadable": {}}))
    stamp = (index.parent / "train.npy").stat().st_mtime_ns
    open_dataset(dataset, (32, 16), tmp_path / "cache")
    assert (index.parent / "train.npy").stat().st_mtime_ns == stamp


def test_a_cache_folder_that_cannot_be_made(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/cache: decoded images cannot be written .*give another --output"):
        open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "file" / "cache")


class TestHousekeeping:
    @pytest.fixture(autouse=True)
    def _filled(self, root: Path, tmp_path: Path) -> None:
        self.cache = tmp_path / "cache"
        self.dataset = load_dataset("market1501", root)
        for size in ((32, 16), (16, 8)):
            open_dataset(self.dataset, size, self.cache)

    def test_entries_say_what_is_there(self) -> None:
        found = entries(self.cache)
        images = sum(len(split) for split in self.dataset.splits.values())
        assert [entry.folder.name.rpartition("-")[2] for entry in found] == ["16x8", "32x16"]
        assert {(entry.dataset, entry.root, entry.images) for entry in found} == {
            ("market1501", str(self.dataset.root.resolve()), images)
        }
        assert all(
            entry.bytes > images * height * width * 3
            for entry, (height, width) in zip(found, [(16, 8), (32, 16)], strict=True)
        )
        assert entries(self.cache / "nowhere") == []

    def test_prune_removes_and_the_next_training_decodes_again(self) -> None:
        removed, left = prune(self.cache)
        assert (len(removed), left, entries(self.cache)) == (2, [], [])
        assert len(open_dataset(self.dataset, (16, 8), self.cache).pixels["train"]) == len(self.dataset.train)

    def test_what_is_being_built_is_left(self) -> None:
        with FileLock(self.cache / f"{entries(self.cache)[0].folder.name}.lock"):
            removed, left = prune(self.cache)
        assert (len(removed), len(left)) == (1, 1)
        assert entries(self.cache) == left

    def test_an_interrupted_build_is_shown_and_removed(self) -> None:
        (entries(self.cache)[0].folder / "index.json").unlink()
        assert entries(self.cache)[0].dataset == ""
        assert len(prune(self.cache)[0]) == 2
