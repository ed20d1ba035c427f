"""Each layout, built in miniature under its true names, reads as it should."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from reid.data import Dataset, DatasetSource, Split, load_dataset
from reid.data.layouts import LAYOUTS
from reid.errors import InputError
from tests.helpers.tiny_datasets import CUHK, DUKE, MARKET, MINIATURES, cuhk03_protocol, folders, image, msmt17, viper


def labels(split: Split) -> list[tuple[int, int]]:
    return list(zip(split.identities.tolist(), split.cameras.tolist(), strict=True))


@pytest.mark.parametrize("layout", MINIATURES)
def test_miniature(layout: str, tmp_path: Path) -> None:
    make, expected = MINIATURES[layout]
    dataset = load_dataset(layout, make(tmp_path / "root"))
    assert tuple(labels(split) for split in dataset.splits.values()) == expected
    for split in dataset.splits.values():
        assert list(split.paths) == sorted(split.paths, key=Path.as_posix)
        assert all(path.is_file() for path in split.paths)
    assert np.array_equal(np.unique(dataset.train_labels), np.arange(dataset.num_classes))
    assert dataset.name == layout


def test_every_layout_has_a_miniature() -> None:
    assert {name for name in LAYOUTS if not name.startswith("viper")} == set(MINIATURES)


@pytest.mark.parametrize(
    ("layout", "inner", "names"),
    [
        ("market1501", "Market-1501-v15.09.15", MARKET),
        ("dukemtmc", "dukemtmc-reid/DukeMTMC-reID", DUKE),
        ("occluded_duke", "Occluded_Duke", DUKE),
        ("cuhk03_np_detected", "cuhk03-np/detected", CUHK),
    ],
)
def test_archives_unpack_into_a_folder_of_their_own(
    layout: str, inner: str, names: dict[str, list[str]], tmp_path: Path
) -> None:
    folders(tmp_path / inner, names)
    assert len(load_dataset(layout, tmp_path).train) == 3


PUBLISHED = Path(__file__).parents[3] / "reid" / "analysis" / "published_tables" / "dataset_counts.csv"


class TestKnownCounts:
    ROWS: ClassVar = {
        "market1501": ("market1501", "bounding_box_train", "query", "gallery after dropping pid -1"),
        "dukemtmc": ("dukemtmc-reid", "bounding_box_train", "query", "bounding_box_test"),
        "occluded_duke": ("occluded-duke", "train", "query", "gallery"),
        "msmt17": ("msmt17", "list_train", "list_query", "list_gallery"),
        "cuhk03_np_detected": ("cuhk03-np detected", "train", "query", "gallery"),
        "cuhk03_np_labeled": ("cuhk03-np labeled", "train", "query", "gallery"),
        "veri776": ("veri-776", "image_train", "image_query", "image_test"),
    }

    @pytest.mark.parametrize("layout", ROWS)
    def test_are_the_published_ones(self, layout: str) -> None:
        with PUBLISHED.open() as file:
            rows = {(row["dataset"].partition(" (")[0], row["subset"]): row for row in csv.DictReader(file)}
        dataset, *subsets = self.ROWS[layout]
        for split, subset in zip(("train", "query", "gallery"), subsets, strict=True):
            row, known = rows[dataset, subset], LAYOUTS[layout].known[split]
            assert known.images == int(row["images"])
            assert known.identities == int(row["ids"].split()[0])
            assert known.cameras in (None, int(row["cameras"]))

    @pytest.mark.parametrize(
        ("layout", "images"), [("partial_reid", 300), ("partial_ilids", 119), ("occluded_reid", 1000)]
    )
    def test_of_sets_for_testing_only(self, layout: str, images: int) -> None:
        assert set(LAYOUTS[layout].known) == {"query", "gallery"}
        assert {counts.images for counts in LAYOUTS[layout].known.values()} == {images}

    def test_differences_are_said_with_both_numbers(self, tmp_path: Path) -> None:
        notes = load_dataset("market1501", folders(tmp_path, MARKET)).notes
        assert "train: 2 identities found, Market-1501 has 751" in notes
        assert "gallery: 2 images found, Market-1501 has 15913" in notes
        assert len(notes) == 9

    def test_other_data_in_markets_layout_are_not_compared(self, tmp_path: Path) -> None:
        assert load_dataset("market1501", folders(tmp_path, MARKET), "ours").notes == ()

    def test_another_name_does_not_hide_a_difference(self, tmp_path: Path) -> None:
        assert (
            "train: 3 images found, DukeMTMC-reID has 16522"
            in load_dataset("dukemtmc", folders(tmp_path, DUKE), "duke").notes
        )

    def test_the_right_counts_give_no_note(self, tmp_path: Path) -> None:
        dataset = load_dataset("viper", viper(tmp_path, range(632)))
        assert dataset.notes == ()


class TestMsmt17:
    def test_v2_and_its_own_folder(self, tmp_path: Path) -> None:
        msmt17(tmp_path / "MSMT17_V2", "mask_train_v2", "mask_test_v2")
        paths = load_dataset("msmt17", tmp_path).train.paths
        assert paths[0].relative_to(tmp_path).parts[:2] == ("MSMT17_V2", "mask_train_v2")

    def test_the_camera_is_read_from_the_list_not_from_the_folder(self, tmp_path: Path) -> None:
        root = msmt17(tmp_path / "my_data_99_sets" / "MSMT17_V1")
        assert load_dataset("msmt17", root).train.cameras.tolist() == [1, 15]

    def test_two_versions_are_one_too_many(self, tmp_path: Path) -> None:
        for version in ("MSMT17_V1", "MSMT17_V2"):
            msmt17(tmp_path / version)
        with pytest.raises(InputError, match="holds MSMT17_V1 and MSMT17_V2; give the folder of one"):
            load_dataset("msmt17", tmp_path)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("0000/0000.jpg 0", r"list_train\.txt:1: must be like 0000/0000_045_12"),
            ("0000/0000_001_01_0303.jpg x", r"list_train\.txt:1: identity must be a whole number .* found 'x'"),
            ("0000/0000_001_ab_0303.jpg 0", r"list_train\.txt:1: camera must be a whole number"),
            ("../0000_001_01_0303.jpg 0", "path must be a printable relative path inside"),
            ("/etc/a_b_1_c.jpg 0", "path must be a printable relative path inside"),
            ("a/a_b_1_c.jpg 0\na/a_b_1_c.jpg 0", "every image once, but 'a_b_1_c.jpg' is named twice"),
        ],
    )
    def test_bad_lists(self, line: str, message: str, tmp_path: Path) -> None:
        root = msmt17(tmp_path)
        (root / "list_train.txt").write_text(line)
        with pytest.raises(InputError, match=message):
            load_dataset("msmt17", root)

    def test_missing_list_and_folder(self, tmp_path: Path) -> None:
        (msmt17(tmp_path) / "list_query.txt").unlink()
        with pytest.raises(InputError, match=r"list_query\.txt: cannot be read \(No such file"):
            load_dataset("msmt17", tmp_path)
        (tmp_path / "test").rename(tmp_path / "testing")
        with pytest.raises(InputError, match="must hold a folder test or mask_test_v2"):
            load_dataset("msmt17", tmp_path)


class TestCuhk03Protocol:
    def test_numbers_may_be_doubles(self, tmp_path: Path) -> None:
        changes: dict[str, object] = {
            "labels": np.array([[1.0], [1], [2], [2], [3]]),
            "train_idx": np.array([[1.0, 2]]),
        }
        dataset = load_dataset("cuhk03_np_detected", cuhk03_protocol(tmp_path, changes=changes))
        assert labels(dataset.train) == [(1, 1), (1, 2)]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"train_idx": np.array([[6]])}, "train_idx must point into filelist, 1 to 5"),
            ({"query_idx": np.array([[0]])}, "query_idx must point into filelist"),
            ({"train_idx": np.array([[1], [1]])}, "train_idx must name every image once"),
            ({"train_idx": np.array([[1.5]])}, "train_idx must hold whole numbers"),
            ({"labels": np.array([[1]])}, "filelist and labels must be as long, found 5 and 1"),
            ({"labels": "text"}, "labels must hold whole numbers"),
            ({"filelist": np.array([["nothing"]] * 5, dtype=object)}, r"names like 1_001_1_01\.png, found 'nothing'"),
            ({"filelist": np.array([["../a_1_1.png"]] * 5, dtype=object)}, "path must be a printable relative path"),
        ],
    )
    def test_bad_protocols(self, changes: dict[str, object], message: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=message):
            load_dataset("cuhk03_np_detected", cuhk03_protocol(tmp_path, changes=changes))

    def test_no_matlab_file(self, tmp_path: Path) -> None:
        (tmp_path / "cuhk03_new_protocol_config_labeled.mat").write_bytes(b"no MATLAB file")
        with pytest.raises(InputError, match=r"labeled\.mat: must hold filelist") as caught:
            load_dataset("cuhk03_np_labeled", tmp_path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(("place", "value"), [(600, 179), (680, 118), (681, 243), (761, 128)])
    def test_a_byte_that_ends_the_process_of_the_parser(self, place: int, value: int, tmp_path: Path) -> None:
        """SciPy 1.17 dies of each of these by SIGSEGV or SIGBUS; here it is one line."""
        file = cuhk03_protocol(tmp_path) / "cuhk03_new_protocol_config_detected.mat"
        content = bytearray(file.read_bytes())
        content[place] = value
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"detected\.mat: must hold filelist, labels, .* \("):
            load_dataset("cuhk03_np_detected", tmp_path)

    def test_neither_folders_nor_protocol(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"must hold labeled/bounding_box_train, .* or cuhk03_new_protocol"):
            load_dataset("cuhk03_np_labeled", tmp_path)


class TestViper:
    def test_halves_and_directions(self, tmp_path: Path) -> None:
        splits = [load_dataset(name, viper(tmp_path)) for name in LAYOUTS if name.startswith("viper")]
        assert len(splits) == 20
        for even, odd in zip(splits[::2], splits[1::2], strict=True):
            assert even.train.paths == odd.train.paths
            assert (even.query.paths, even.gallery.paths) == (odd.gallery.paths, odd.query.paths)
            assert labels(even.query) == [(identity, 1) for identity in sorted(even.query.identities.tolist())]
            assert len(even.train) == 10
        assert len({dataset.train.paths for dataset in splits}) == 10, "ten different halvings"

    def test_the_split_depends_on_names_alone(self, tmp_path: Path) -> None:
        first, second = (load_dataset("viper:6", viper(tmp_path / name)) for name in ("a", "b"))
        assert np.array_equal(first.train.identities, second.train.identities)

    def test_a_person_under_one_camera_is_left_out_with_a_note(self, tmp_path: Path) -> None:
        image(viper(tmp_path) / "cam_a" / "999_0.bmp")
        dataset = load_dataset("viper", tmp_path)
        assert "1 identities under one camera only are left out" in dataset.notes

    def test_missing_camera(self, tmp_path: Path) -> None:
        image(tmp_path / "cam_a" / "001_45.bmp")
        with pytest.raises(InputError, match="cam_b: no such folder; the layout holds cam_a, cam_b"):
            load_dataset("viper", tmp_path)
        image(tmp_path / "cam_b" / "x.bmp")
        with pytest.raises(InputError, match=r"cam_b: image names must look like 000_45\.bmp; found 1 images"):
            load_dataset("viper", tmp_path)


def test_queries_without_a_match_are_noted(tmp_path: Path) -> None:
    root = folders(tmp_path, {**DUKE, "bounding_box_test": ["0005_c2_f0046065.jpg"]})
    assert "query: 1 images have no match under another camera and do not count" in load_dataset("dukemtmc", root).notes


@pytest.mark.parametrize("folder", ["partial_body_images", "whole_body_images"])
def test_only_the_training_part_may_be_empty(folder: str, tmp_path: Path) -> None:
    root = MINIATURES["partial_reid"][0](tmp_path)
    assert load_dataset("partial_reid", root).test_only
    for file in (root / folder).iterdir():
        file.unlink()
    with pytest.raises(InputError, match="found no image"):
        load_dataset("partial_reid", root)


def test_labels_that_do_not_fit_together() -> None:
    def split(*identities: int) -> Split:
        return Split.of([(Path(f"{i}.jpg"), identity, 1) for i, identity in enumerate(identities)])

    with pytest.raises(InputError, match="train or in query, not in both"):
        Dataset("n", Path(), split(1), split(1), split(1)).check()
    Dataset("n", Path(), split(1), split(1), split(1), numbering_restarts=True).check()


@pytest.mark.parametrize(
    ("layout", "make", "gone"),
    [
        ("market1501", lambda root: folders(root, MARKET), ["bounding_box_train"]),
        ("dukemtmc", lambda root: folders(root / "DukeMTMC-reID", DUKE), ["DukeMTMC-reID/bounding_box_train"]),
        ("cuhk03_np_detected", lambda root: folders(root / "detected", CUHK), ["detected/bounding_box_train"]),
        ("msmt17:trainval", msmt17, ["train", "list_train.txt", "list_val.txt"]),
    ],
)
def test_testing_needs_no_training_part(
    layout: str, make: Callable[[Path], Path], gone: list[str], tmp_path: Path
) -> None:
    make(tmp_path)
    whole = load_dataset(layout, tmp_path)
    for name in gone:
        shutil.rmtree(tmp_path / name) if (tmp_path / name).is_dir() else (tmp_path / name).unlink()
    left = load_dataset(layout, tmp_path)
    assert left.test_only
    assert not whole.test_only
    assert (left.query.paths, left.gallery.paths) == (whole.query.paths, whole.gallery.paths)
    assert "train: no image, so it can be evaluated on and not trained on" in left.notes
    assert not [note for note in left.notes if note.startswith("train: 0 ")]


@pytest.mark.parametrize("layout", ["market1501", "viper"])
def test_whatever_is_left_out_of_a_folder_is_counted_and_named(layout: str, tmp_path: Path) -> None:
    root = viper(tmp_path) if layout == "viper" else folders(tmp_path, MARKET)
    folder = root / ("cam_a" if layout == "viper" else "query")
    for name in ("a.avif", "b.txt", "Thumbs.db", ".DS_Store", "strange.jpg"):
        (folder / name).touch()
    (folder / "more").mkdir()
    notes = [note for note in load_dataset(layout, root, "ours").notes if note.startswith(folder.name)]
    assert len(notes) == 2
    assert notes[0].startswith(f"{folder.name}: 1 images are left out, their names are not like ")
    assert notes[0].endswith("(first: strange.jpg)")
    assert notes[1].startswith(f"{folder.name}: 3 other files are left out")
    assert notes[1].endswith("(first: a.avif)")


@pytest.mark.parametrize("inner", ["", "Occluded_REID"])
@pytest.mark.parametrize("person", ["{person:03d}/", ""], ids=["a folder a person", "flat"])
def test_occluded_reid_as_it_is_released(inner: str, person: str, tmp_path: Path) -> None:
    """Both folders number a person's images from 1: the folders are the cameras, the numbers are not."""
    for folder in ("occluded_body_images", "whole_body_images"):
        for number in (1, 2):
            for who in (1, 2):
                image(tmp_path / inner / folder / person.format(person=who) / f"{who:03d}_{number:02d}.tif")
    dataset = load_dataset("occluded_reid", tmp_path)
    assert labels(dataset.query) == [(1, 1), (1, 1), (2, 1), (2, 1)]
    assert labels(dataset.gallery) == [(1, 2), (1, 2), (2, 2), (2, 2)]
    assert dataset.matched.all()


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folders(tmp_path / "data", MARKET)
    assert load_dataset("market1501", "~/data").root == tmp_path / "data"
    assert DatasetSource(name="ours", root=Path("~/data")).root == tmp_path / "data"
    with pytest.raises(InputError, match="~no-such-user/data: no such data set folder"):
        load_dataset("market1501", "~no-such-user/data")


def test_unknown_layout_names_the_nearest() -> None:
    with pytest.raises(InputError, match=re.escape("no such layout 'msmt'; did you mean 'msmt17'?")):
        load_dataset("msmt", ".")
    with pytest.raises(InputError, match="known: market1501, "):
        load_dataset("zzz", ".")
