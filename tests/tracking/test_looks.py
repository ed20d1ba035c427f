"""MLflow has the looks of a grid that grows, over runs, in the run that keeps its plan."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from reid.files import write_record
from reid.store.looks import LookRecord, LooksRecord, read_looks
from reid.store.plan import UntilRecord, read_plan
from reid.tracking import Tracker, download, sync
from reid.tracking.mlflow_store import embedded_uri
from tests.helpers.looks import looks_at
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow


def grow(fabric: Fabric, seeds: int, looks: list[LookRecord]) -> Path:
    """The plan of so many seeds, which stand for batches, and the looks at it so far."""
    grid = fabric.grid(seeds=range(seeds))
    until = UntilRecord(at_most=16, batch=4)
    write_record(grid / "plan.json", read_plan(grid).plan.model_copy(update={"until": until, "matters": 1.0}))
    write_record(grid / "looks.json", LooksRecord(looks=tuple(looks)))
    return grid


def test_looks_are_metrics_over_runs_of_the_grids_run_and_come_back(fabric: Fabric, tmp_path: Path) -> None:
    looks = looks_at(("warmup", "bnneck"), runs=(8, 12, 16))
    tracker = Tracker(None, fabric.output)
    tracker.open_grid(grow(fabric, 2, []))
    for number, seeds in ((1, 3), (2, 4), (3, 4)):
        tracker.project(grow(fabric, seeds, looks[:number]))
    tracker.close()
    client = MlflowClient(uri := embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    (kept,) = client.search_runs([experiment.experiment_id], "tags.`reid.kind` = 'plan'")

    def history(key: str) -> list[tuple[int, float]]:
        return [(point.step, point.value) for point in client.get_metric_history(kept.info.run_id, key)]

    assert history("looks/decided") == [(8, 1), (12, 1), (16, 2)]
    assert history("looks/BN") == [(look.runs, look.factors["bnneck"].effect) for look in looks]
    assert history("looks/BN_low") == [(look.runs, look.factors["bnneck"].low) for look in looks[1:]], "no infinities"
    assert history("looks/bound") == [(look.runs, look.critical) for look in looks]
    there = download(uri, "demo", tmp_path / "there")
    assert read_looks(there) == tuple(looks)
    assert len(read_plan(there).plan.runs) == 16
    sync(fabric.output, None)
    assert history("looks/decided") == [(8, 1), (12, 1), (16, 2)], "once each, whoever projects them"
