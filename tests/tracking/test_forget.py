import pytest

from reid.tracking import delete_projections, sync
from reid.tracking.mlflow_store import Store, embedded_uri
from tests.helpers.records import raw
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow


def test_a_forgotten_run_is_gone_from_every_store_and_can_come_back(fabric: Fabric) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    runs = fabric.runs(grid)
    assert sync(fabric.output, None).runs == 2
    folder, store = runs["1", 0], Store(None, fabric.output)
    (run_id,) = raw(folder, "mlflow").values()
    lines = delete_projections(fabric.output, folder)
    assert lines == [f"MLflow run {run_id} of grid {grid.name}: deleted in {embedded_uri(fabric.output)}"]
    assert store.run(run_id) is None
    assert delete_projections(fabric.output, folder) == [], "once"
    sync(fabric.output, None)
    (again,) = raw(folder, "mlflow").values()
    assert again != run_id
    assert store.run(again) is not None
