"""Grids made of real folders and a migrated store, for MLflow to be a projection of."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from reid.store.run_folder import RunFolder
from reid.tracking.mlflow_store import Store
from tests.helpers.grids_on_disk import EFFECTS, TRICK_FACTORS, write_grid

TRICKS = {factor.name: (factor, effect) for factor, effect in zip(TRICK_FACTORS, EFFECTS, strict=True)}


class Fabric:
    """Small grids of tricks in an output folder."""

    def __init__(self, output: Path) -> None:
        self.output = output

    def grid(
        self,
        name: str = "demo",
        tricks: Sequence[str] = ("warmup", "bnneck"),
        seeds: Sequence[int] = (0, 1),
        outcomes: Mapping[tuple[str, int], str] | None = None,
        epochs: int = 12,
        iterations: int = 10,
    ) -> Path:
        """A grid of every arm x seed, `iterations` an epoch, finished unless `outcomes` says otherwise; its folder."""
        factors, effects = zip(*(TRICKS[trick] for trick in tricks), strict=True)
        return write_grid(
            self.output,
            name=name,
            factors=factors,
            effects=effects,
            seeds=seeds,
            outcomes=outcomes,
            epochs=epochs,
            iterations=iterations * epochs,
        )

    def runs(self, grid: Path) -> dict[tuple[str, int], RunFolder]:
        """A grid's run folders by (arm, seed)."""
        plan = json.loads((grid / "plan.json").read_text())
        return {(run["arm"], run["seed"]): RunFolder(self.output / "runs" / run["signature"]) for run in plan["runs"]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MLflow 3.17 asks SQLAlchemy 2.1 for a loader that it deprecates; nothing here can change that."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database with all its tables: making one costs seconds, copying it nothing."""
    output = tmp_path_factory.mktemp("migrated")
    assert Store(None, output).client.search_experiments()
    return output / "mlflow.db"


@pytest.fixture
def fabric(tmp_path: Path, migrated: Path) -> Fabric:
    """An empty output folder with an empty embedded store, and the means to fill it."""
    output = tmp_path / "output"
    output.mkdir()
    shutil.copy(migrated, output / "mlflow.db")
    return Fabric(output)
