"""Several data sets trained on as one: nobody and no camera of one set is taken for one of another."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.data import BenchmarkDataset, DecodedDataset, Split, TuningDataset, join, join_datasets
from reid.errors import InputError

Rows = list[tuple[int, int]]
LABELS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=30)


def split(root: str, rows: Rows) -> Split:
    return Split.of([(Path(root) / f"{number:03d}.jpg", *row) for number, row in enumerate(rows)])


def benchmark(name: str, train: Rows) -> BenchmarkDataset:
    test = split(f"{name}/test", [(100, 1), (100, 2)])
    return BenchmarkDataset(name, Path(name), split(f"{name}/train", train), test.take([0]), test)


def decoded(dataset: BenchmarkDataset, shade: int) -> DecodedDataset:
    pixels = {name: np.full((len(part), 2, 2, 3), shade, np.uint8) for name, part in dataset.splits.items()}
    return DecodedDataset(dataset, pixels, f"content of {dataset.name}")


@given(st.lists(LABELS, min_size=2, max_size=4))
def test_identities_and_cameras_stay_apart(every: list[Rows]) -> None:
    parts = [benchmark(f"set{number}", rows) for number, rows in enumerate(every)]
    joined = join_datasets(parts, parts[0])
    assert joined.train.paths == tuple(path for part in parts for path in part.train.paths)
    assert joined.num_classes == sum(part.num_classes for part in parts)
    assert sorted(set(joined.train_labels.tolist())) == list(range(joined.num_classes)), "labels are contiguous"
    origin = np.repeat(np.arange(len(parts)), [len(part.train) for part in parts])
    for field in ("identities", "cameras"):
        before = list(zip(origin, np.concatenate([getattr(part.train, field) for part in parts]), strict=True))
        after = getattr(joined.train, field).tolist()
        pairs = set(zip(before, after, strict=True))
        assert len(pairs) == len(set(before)) == len(set(after)), f"{field}: one to one, none shared by two sets"
    joined.check()


@given(LABELS)
def test_one_set_is_itself_at_home_and_renumbered_elsewhere(rows: Rows) -> None:
    home, other = benchmark("home", rows), benchmark("other", [(3, 1), (4, 1)])
    assert join_datasets([home], home) is home
    away = join_datasets([home], other)
    assert (away.name, away.query, away.gallery) == ("other", other.query, other.gallery)
    np.testing.assert_array_equal(away.train_labels, home.train_labels)


def test_pixels_are_joined_in_the_order_of_the_sets() -> None:
    one, two = decoded(benchmark("one", [(1, 1), (2, 1)]), 10), decoded(benchmark("two", [(1, 1)]), 20)
    joined = join([two, one], one)
    assert joined.pixels["train"][:, 0, 0, 0].tolist() == [20, 10, 10]
    assert joined.pixels["query"] is one.pixels["query"]
    assert join([one], one) is one


def test_a_set_for_testing_only_is_not_trained_on() -> None:
    home = benchmark("home", [(1, 1)])
    occluded = benchmark("occluded", [])
    assert not join_datasets([home], occluded).test_only, "but evaluated on it is"
    with pytest.raises(InputError, match="train_on: occluded has no training images, it is for testing only"):
        join_datasets([home, occluded], home)


def test_a_test_set_is_not_joined_with_validation_identities() -> None:
    whole = benchmark("whole", [(1, 1), (2, 1)])
    tuning = TuningDataset("tuning", Path("tuning"), whole.train, whole.query, whole.gallery)
    with pytest.raises(InputError, match="split: whole and tuning must all have one or none"):
        join_datasets([tuning], whole)
