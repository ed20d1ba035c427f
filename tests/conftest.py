"""What several levels of tests share: a tiny drawn data set and recipes that train on it in a second."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy reads it: tests run side by side, threads of each would spin

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from reid.data import DatasetSource, DecodedDataset, open_dataset
from reid.data.synthetic import SyntheticSpec
from reid.recipe import Recipe

pytest_plugins = [
    "tests.helpers.grids_on_disk",
    "tests.helpers.postgresql",
    "tests.helpers.side_by_side",
    "tests.helpers.studies_on_disk",
]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
torch.set_num_threads(1)  # a CPU training is bit-identical only for one number of threads

TINY_DATA: dict[str, Any] = {"train_identities": 12, "test_identities": 6, "cameras": 3, "images": 6, "seed": 3}
TINY_FIELDS: dict[str, Any] = {
    "image.size": (32, 16),
    "augmentation.pad": 2,
    "batch.identities": 4,
    "batch.images": 2,
    "backbone.name": "resnet10_narrow",
    "backbone.stem_relu": True,
    "backbone.pretrained": "none",
    "schedule.base": 3e-3,
    "schedule.epochs": 3,
    "schedule.milestones": (3,),
    "evaluation.every": 2,
}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """A function that makes a folder once for all workers of a test session: (name, what fills it) to its path."""
    ours = tmp_path_factory.getbasetemp()
    place = ours.parent if os.environ.get("PYTEST_XDIST_WORKER") else ours

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder = place / f"shared-{name}"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                folder.mkdir()
                fill(folder)
                (folder / ".whole").touch()
        assert (folder / ".whole").exists(), f"{name} could not be made; see the first test that needed it"
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_root(shared: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A drawn data set of 12 + 6 identities."""

    def draw(folder: Path) -> None:
        DatasetSource(name="tiny", root=folder / "tiny", synthesize=SyntheticSpec(**TINY_DATA)).open()

    return shared("data", draw) / "tiny"


@pytest.fixture(scope="session")
def tiny(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> DecodedDataset:
    """The same, decoded at 32x16."""
    dataset = DatasetSource(name="tiny", root=tiny_root).open()
    return open_dataset(dataset, (32, 16), tmp_path_factory.mktemp("cache"))


@pytest.fixture
def tiny_recipe() -> Recipe:
    """Three epochs of a narrow network on 32x16 images."""
    return Recipe().set(TINY_FIELDS)
