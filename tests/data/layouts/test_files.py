"""Names and links that nobody vouches for."""

import os
from pathlib import Path

import pytest

from reid.data import load_dataset, open_dataset
from reid.errors import InputError
from tests.helpers.tiny_datasets import MARKET, folders, image, msmt17


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return folders(tmp_path / "root", MARKET)


def test_spaces_and_other_scripts_are_names_like_any(tmp_path: Path) -> None:
    root = folders(tmp_path / "données 行人", MARKET)
    image(root / "query" / "0001_c3s1 kö 人.jpg")
    data = open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "cache")
    assert [path.name for path in data.dataset.query.paths] == ["0001_c1s1_001051_00.jpg", "0001_c3s1 kö 人.jpg"]


@pytest.mark.parametrize("name", [b"0001_c3_\xff.jpg", b"0001_c3_\n.jpg", b"0001_c3_\x1b[31m.jpg"])
def test_names_that_cannot_be_shown_are_refused_in_one_line(name: bytes, root: Path) -> None:
    with open(os.path.join(os.fsencode(root), b"query", name), "wb"):  # noqa: PTH118, PTH123 - bytes
        pass
    with pytest.raises(InputError, match="file names must be UTF-8 text without control characters") as caught:
        load_dataset("market1501", root)
    assert str(caught.value).isprintable()


class TestSymbolicLinks:
    def test_inside_the_root_are_followed(self, root: Path) -> None:
        (root / "query" / "0001_c5s1_000001_00.jpg").symlink_to(root / "query" / MARKET["query"][0])
        assert len(load_dataset("market1501", root).query) == 2

    def test_the_root_may_be_one(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(root)
        assert len(load_dataset("market1501", tmp_path / "link").query) == 1

    def test_of_a_file_out_of_the_root(self, root: Path, tmp_path: Path) -> None:
        (root / "query" / "0001_c5s1_000001_00.jpg").symlink_to(image(tmp_path / "secret.jpg"))
        with pytest.raises(InputError, match=r"0001_c5s1_000001_00\.jpg: is a symbolic link that leads out of .*root"):
            load_dataset("market1501", root)

    def test_of_a_folder_out_of_the_root(self, root: Path, tmp_path: Path) -> None:
        (root / "query").rename(tmp_path / "elsewhere")
        (root / "query").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="is a symbolic link that leads out of"):
            load_dataset("market1501", root)

    def test_of_a_folder_inside_a_listed_path(self, tmp_path: Path) -> None:
        root = msmt17(tmp_path / "root")
        (root / "test" / "0001").rename(tmp_path / "elsewhere")
        (root / "test" / "0001").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="is a symbolic link that leads out of"):
            load_dataset("msmt17", root)

    @pytest.mark.parametrize("target", ["0001_c5s1_000001_00.jpg", "nothing"])
    def test_that_lead_nowhere_are_unreadable_images(self, target: str, root: Path, tmp_path: Path) -> None:
        (root / "query" / "0001_c5s1_000001_00.jpg").symlink_to(target)
        with pytest.raises(InputError, match=r"0001_c5s1_000001_00\.jpg: cannot be read as an image"):
            open_dataset(load_dataset("market1501", root), (32, 16), tmp_path / "cache")


def test_a_folder_and_a_pipe_with_an_images_name(root: Path, tmp_path: Path) -> None:
    (root / "query" / "0001_c5s1_000001_00.jpg").mkdir()
    os.mkfifo(root / "query" / "0001_c6s1_000001_00.jpg")
    dataset = load_dataset("market1501", root)
    with pytest.raises(InputError, match="not a regular file"):
        open_dataset(dataset, (32, 16), tmp_path / "cache")
    data = open_dataset(dataset, (32, 16), tmp_path / "cache", skip_unreadable=True)
    assert len(data.dataset.skipped) == 2


def test_a_path_that_no_system_call_takes() -> None:
    with pytest.raises(InputError, match=r"n: cannot be read \(File name too long\)"):
        load_dataset("market1501", "n" * 300)


def test_a_number_too_long_for_64_bits_is_no_identity(root: Path) -> None:
    image(root / "query" / f"{'9' * 40}_c1s1_000001_00.jpg")
    image(root / "query" / "٣_c1s1_000001_00.jpg")
    dataset = load_dataset("market1501", root, "ours")
    assert len(dataset.query) == 1
    assert dataset.notes[0].startswith("query: 2 images are left out, their names are not like 0002_c1s1_000451_03.jpg")
