"""Validation identities, and that a data set for tuning cannot be taken for one with its test set."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy import api

from reid.data import BenchmarkDataset, DatasetSource, Split, TuningDataset, ValidationSplit, hold_out, open_dataset
from reid.errors import InputError

TWENTY_PER_CENT = ValidationSplit(validation_identities=0.2)


def made(cameras: list[list[int]]) -> BenchmarkDataset:
    """A data set whose training identity i has images under `cameras[i]`, and identity 999 to test on."""
    train = Split.of(
        [
            (Path(f"train/{identity:03}_{number}.jpg"), identity, camera)
            for identity, seen in enumerate(cameras)
            for number, camera in enumerate(seen)
        ]
    )
    query, gallery = (Split.of([(Path(f"test/{camera}.jpg"), 999, camera)]) for camera in (1, 2))
    return BenchmarkDataset("made", Path(), train, query, gallery)


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=8), min_size=2, max_size=25), st.floats(0.01, 0.99))
def test_identities_are_parted_and_every_query_has_a_match(cameras: list[list[int]], share: float) -> None:
    dataset = made(cameras)
    wanted = max(1, round(share * len(cameras)))
    try:
        tuning = hold_out(dataset, ValidationSplit(validation_identities=share))
    except InputError:
        assert wanted == len(cameras) or wanted > sum(len(set(seen)) >= 2 for seen in cameras)
        return
    train, held = set(tuning.train.identities.tolist()), set(tuning.gallery.identities.tolist())
    assert not train & held
    assert train | held == set(range(len(cameras)))
    assert len(held) == wanted
    assert sorted(tuning.train.paths + tuning.gallery.paths) == list(dataset.train.paths)
    gallery = list(zip(tuning.gallery.identities.tolist(), tuning.gallery.cameras.tolist(), strict=True))
    queries = list(zip(tuning.query.identities.tolist(), tuning.query.cameras.tolist(), strict=True))
    assert sorted(queries) == sorted(set(gallery)), "one query a person and camera"
    for identity, camera in queries:
        assert any(other == identity and elsewhere != camera for other, elsewhere in gallery)
    tuning.check()


def test_nothing_of_the_test_set_is_in_it() -> None:
    dataset = made([[1, 2]] * 10)
    tuning = hold_out(dataset, TWENTY_PER_CENT)
    test = {path for split in (dataset.query, dataset.gallery) for path in split.paths}
    assert not test & {path for split in tuning.splits.values() for path in split.paths}
    assert {field.name for field in dataclasses.fields(tuning)} == {field.name for field in dataclasses.fields(dataset)}
    assert "evaluated on 2 identities held out of the training part, not on the test set" in tuning.notes


def test_the_draw_is_the_same_every_time() -> None:
    first, second = (hold_out(made([[1, 2, 2]] * 30), TWENTY_PER_CENT) for _ in range(2))
    assert first.query.paths == second.query.paths


def test_too_few_identities_with_two_cameras() -> None:
    with pytest.raises(
        InputError, match=r"0\.2 of the 10 training identities of made are 2, but only 1 are seen by two"
    ):
        hold_out(made([[1, 1]] * 9 + [[1, 2]]), TWENTY_PER_CENT)


def test_from_yaml_to_pixels(tiny_root: Path, tmp_path: Path) -> None:
    asked = {"name": "tiny", "root": tiny_root, "split": {"validation_identities": 0.25}}
    tuning = DatasetSource.model_validate(asked).open()
    assert isinstance(tuning, TuningDataset)
    assert tuning.num_classes == 9
    assert len(np.unique(tuning.gallery.identities)) == 3
    assert all(path.parent.name == "bounding_box_train" for split in tuning.splits.values() for path in split.paths)
    whole = DatasetSource(name="tiny", root=tiny_root).open()
    opened = [open_dataset(dataset, (32, 16), tmp_path) for dataset in (tuning, whole)]
    assert isinstance(opened[0].dataset, TuningDataset)
    assert opened[0].fingerprint != opened[1].fingerprint, "their runs are other runs"


@pytest.mark.parametrize("share", [0, 1, -0.1, "many"])
def test_a_share_is_between_0_and_1(share: object) -> None:
    with pytest.raises(ValueError, match="validation_identities"):
        DatasetSource.model_validate({"name": "n", "root": ".", "split": {"validation_identities": share}})


MISTAKES = """
from pathlib import Path
from reid.data.cache import DecodedDataset, open_dataset
from reid.data.dataset import BenchmarkDataset
from reid.data.split import TuningDataset, ValidationSplit, hold_out

def tune(data: DecodedDataset[TuningDataset]) -> None: ...
def report(data: DecodedDataset[BenchmarkDataset]) -> None: ...
def train(data: DecodedDataset) -> None: ...

def session(dataset: BenchmarkDataset, split: ValidationSplit) -> None:
    whole = open_dataset(dataset, (32, 16), Path())
    tuning = open_dataset(hold_out(dataset, split), (32, 16), Path())
    train(whole)
    train(tuning)
    tune(tuning)
    report(whole)
    tune(whole)
    report(tuning)
    hold_out(hold_out(dataset, split), split)
"""


@pytest.mark.slow
def test_the_type_checker_refuses_to_mix_them(tmp_path: Path) -> None:
    """Tuning on the test set, reporting on validation identities and holding out twice are type errors; no other is."""
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    root = Path(__file__).parents[2]
    options = ["--config-file", str(root / "pyproject.toml"), "--cache-dir", str(root / ".mypy_cache")]
    output, errors, status = api.run([*options, str(tmp_path / "mistakes.py")])
    lines = [int(line.split(":")[1]) for line in output.splitlines() if "mistakes.py" in line and ": error:" in line]
    source = MISTAKES.splitlines()
    assert [source[line - 1].strip() for line in lines] == [
        "tune(whole)", "report(tuning)", "hold_out(hold_out(dataset, split), split)"
    ], output + errors  # fmt: skip
    assert status == 1
