"""What can be evaluated: queries with a match, with cameras and without."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.data import BenchmarkDataset, DatasetSource, Split, load_dataset, open_dataset
from reid.data.source import NO_CAMERAS
from reid.errors import InputError
from tests.helpers.tiny_datasets import MARKET, folders, image

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8)


def split(rows: list[tuple[int, int]]) -> Split:
    return Split.of([(Path(f"{number:03d}.jpg"), *row) for number, row in enumerate(rows)])


def dataset(query: list[tuple[int, int]], gallery: list[tuple[int, int]]) -> BenchmarkDataset:
    return BenchmarkDataset("ours", Path("ours"), split([]), split(query), split(gallery))


@given(ROWS, ROWS)
def test_matches_are_those_of_the_protocol(query: list[tuple[int, int]], gallery: list[tuple[int, int]]) -> None:
    expected = [any(i == identity and c != camera for i, c in gallery) for identity, camera in query]
    data = dataset(query, gallery)
    assert data.matched.tolist() == expected
    lost = expected.count(False)
    assert data.unmatched() == (
        (f"query: {lost} images have no match under another camera and do not count",) if lost else ()
    )
    if any(expected):
        data.require_evaluable()
    else:
        with pytest.raises(InputError, match=r"holds no image|none of the \d+ queries has a match"):
            data.require_evaluable()


def test_nobody_is_identity_zero_that_no_query_asks_for() -> None:
    gallery = [(0, 1), (0, 2), (5, 2)]
    assert dataset([(5, 1)], gallery).distractors.tolist() == [True, True, False]
    assert dataset([(0, 1)], gallery).distractors.tolist() == [False] * 3


@pytest.fixture
def one_camera(tmp_path: Path) -> Path:
    names = {
        "bounding_box_train": ["0001_c1s1_1.jpg", "0001_c1s1_2.jpg", "0002_c1s1_3.jpg", "0002_c1s1_4.jpg"],
        "query": ["0003_c1s1_5.jpg", "0004_c1s1_6.jpg"],
        "bounding_box_test": ["0003_c1s1_7.jpg", "0004_c1s1_8.jpg", "0005_c1s1_9.jpg"],
    }
    return folders(tmp_path / "one", names)


class TestWithoutCameras:
    def test_one_camera_is_refused_and_none_is_meant(self, one_camera: Path) -> None:
        labelled = load_dataset("market1501", one_camera, "ours")
        assert "query: 2 images have no match under another camera and do not count" in labelled.notes
        with pytest.raises(InputError, match=r"none of the 2 queries has a match, .*cameras: none"):
            labelled.require_evaluable()
        none = load_dataset("market1501", one_camera, "ours", cameras="none")
        none.require_evaluable()
        assert none.matched.all()
        assert none.notes == (NO_CAMERAS,)

    def test_a_query_is_no_match_of_itself(self, tmp_path: Path) -> None:
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            image(tmp_path / name)
        rows = ("a.jpg,1,query", "b.jpg,2,query", "a.jpg,1,gallery", "b.jpg,2,gallery", "c.jpg,2,gallery")
        (tmp_path / "mine.csv").write_text("path,identity,split\n" + "\n".join(rows) + "\n")
        data = load_dataset("csv", tmp_path, cameras="none")
        assert data.matched.tolist() == [False, True]

    def test_a_table_without_a_camera_column(self, tmp_path: Path) -> None:
        (tmp_path / "mine.csv").write_text("path,identity,split\na.jpg,1,train\nb.jpg,2,query\nc.jpg,2,gallery\n")
        with pytest.raises(InputError, match="none of the 1 queries has a match"):
            load_dataset("csv", tmp_path).require_evaluable()
        load_dataset("csv", tmp_path, cameras="none").require_evaluable()

    def test_validation_identities_are_those_with_two_images(self, one_camera: Path) -> None:
        source = DatasetSource.model_validate(
            {"name": "ours", "root": one_camera, "cameras": "none", "split": {"validation_identities": 0.5}}
        )
        tuning = source.open()
        tuning.require_evaluable()
        assert len(tuning.query) == len(tuning.gallery) == 2

    def test_cameras_are_part_of_the_fingerprint(self, tmp_path: Path) -> None:
        root = folders(tmp_path / "data", MARKET)
        labelled, none = (
            open_dataset(load_dataset("market1501", root, cameras=cameras), (16, 16), tmp_path / "cache")
            for cameras in ("labelled", "none")
        )
        assert labelled.fingerprint != none.fingerprint
        np.testing.assert_array_equal(labelled.pixels["gallery"], none.pixels["gallery"])


class TestUnreadableImagesLeftOut:
    @pytest.fixture(autouse=True)
    def _copied(self, tiny_root: Path, tmp_path: Path) -> None:
        self.root = Path(shutil.copytree(tiny_root, tmp_path / "copy"))
        self.cache = tmp_path / "cache"

    def break_gallery(self, identities: list[int]) -> None:
        whole = load_dataset("market1501", self.root, "ours")
        for path in whole.gallery.take(np.flatnonzero(np.isin(whole.gallery.identities, identities))).paths:
            path.write_bytes(b"")

    def test_queries_that_lose_their_match_are_a_note(self) -> None:
        whole = load_dataset("market1501", self.root, "ours")
        assert whole.matched.all()
        victim = int(whole.query.identities[0])
        self.break_gallery([victim])
        left = open_dataset(load_dataset("market1501", self.root, "ours"), (16, 16), self.cache, True).dataset
        lost = int((whole.query.identities == victim).sum())
        assert left.notes == (f"query: {lost} images have no match under another camera and do not count",)
        left.require_evaluable()

    def test_all_of_them_lost_cannot_be_evaluated(self) -> None:
        self.break_gallery(load_dataset("market1501", self.root, "ours").query.identities.tolist())
        left = open_dataset(load_dataset("market1501", self.root, "ours"), (16, 16), self.cache, True).dataset
        with pytest.raises(InputError, match=r"the gallery split holds no image|none of the \d+ queries has a match"):
            left.require_evaluable()
