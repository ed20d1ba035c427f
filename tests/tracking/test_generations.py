"""A grid is planned anew under its name, beside another of that name, or renamed: MLflow shows the plan that is."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run

from reid.store.plan import FactorRecord, Plan, read_plan
from reid.tracking import Tracker, download, sync
from reid.tracking.mlflow_store import embedded_uri
from tests.helpers.grids_on_disk import write_grid
from tests.helpers.records import raw
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow

RATE = "schedule.base"


class Shown:
    """What a store shows of a grid."""

    def __init__(self, uri: str, name: str = "demo") -> None:
        self.client = MlflowClient(uri)
        found = self.client.get_experiment_by_name(name)
        assert found is not None
        self.experiment: Experiment = found
        self.runs = list(self.client.search_runs([found.experiment_id]))

    def named(self, kind: str) -> dict[str, Run]:
        """By name; fails if a name is there twice."""
        runs = [run for run in self.runs if run.data.tags["reid.kind"] == kind]
        named = {str(run.info.run_name): run for run in runs}
        assert len(named) == len(runs)
        return named

    def names(self, kind: str) -> set[str]:
        return set(self.named(kind))


def rates(fabric: Fabric, levels: Sequence[str], seeds: Sequence[int] = (0,)) -> Path:
    """A grid of the learning rate."""
    factor = FactorRecord(name=RATE, title=RATE, levels=tuple(levels))
    return write_grid(fabric.output, factors=[factor], effects=[0.01], seeds=seeds, epochs=12, iterations=60)


def planned(grid: Path) -> Plan:
    """A plan without its data, whose place a report from a server does not take over."""
    return read_plan(grid).plan.model_copy(update={"dataset": None})


def require_true(fabric: Fabric, shown: Shown, grid: Path) -> None:
    """Every arm and every run of the plan is there once, under its name, and an arm has the mean of its seeds."""
    runs, plan = fabric.runs(grid), read_plan(grid).plan
    assert shown.names("run") == {f"{arm} s{seed}" for arm, seed in runs}
    assert shown.names("arm") == {arm.arm for arm in plan.arms}
    for (arm, seed), folder in runs.items():
        run, parent = shown.named("run")[f"{arm} s{seed}"], shown.named("arm")[arm]
        assert run.data.tags["reid.signature"] == folder.signature
        assert run.data.tags["reid.arm"] == arm
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        for level in plan.levels(arm):
            assert run.data.tags[f"trick.{level.factor.name}"] == level.label
        values = [raw(runs[arm, one], "result")["metrics"]["mAP"] for one in plan.seeds]
        assert parent.data.metrics["final/mAP"] == pytest.approx(sum(values) / len(values))


def test_factors_in_another_order_are_the_same_runs_under_new_names(fabric: Fabric) -> None:
    for tricks in (("warmup", "bnneck"), ("bnneck", "warmup")):
        grid = fabric.grid(tricks=tricks, seeds=(0,))
        assert sync(fabric.output, None).refused == []
        require_true(fabric, shown := Shown(embedded_uri(fabric.output)), grid)
    assert not any(run.data.tags["reid.kind"] in ("retired run", "retired arm") for run in shown.runs)
    assert shown.names("plan") == {"plan 2"}
    assert shown.names("retired plan") == {"plan 1 (retired)"}


def test_a_changed_level_is_another_arm_and_the_old_one_is_retired_visibly(fabric: Fabric) -> None:
    plans: list[list[str]] = [["0.003", "0.002"], ["0.003", "0.001"], ["0.003", "0.002", "0.001"]]
    for levels in plans:
        grid = rates(fabric, levels)
        assert sync(fabric.output, None).refused == []
        require_true(fabric, shown := Shown(embedded_uri(fabric.output)), grid)
        if levels == plans[1]:
            assert shown.names("retired run") == {"1 s0 (retired)"}
            assert shown.names("retired arm") == {"1 (retired)"}
            note = shown.named("retired run")["1 s0 (retired)"].data.tags["mlflow.note.content"]
            assert note.startswith("**Retired**: plan 2, of ")


def test_a_mean_of_seeds_that_are_gone_goes(fabric: Fabric) -> None:
    for seeds in ((0, 1), (1,), (0, 1, 2)):
        grid = fabric.grid(tricks=("bnneck",), seeds=seeds)
        sync(fabric.output, None)
        require_true(fabric, shown := Shown(embedded_uri(fabric.output)), grid)
        spread = shown.named("arm")["1"].data.metrics["final/mAP_sd"]
        assert (spread != spread) == (len(seeds) == 1), "not defined of one seed"


def test_with_more_seeds_a_plan_grows_and_is_no_other(fabric: Fabric) -> None:
    fabric.grid(tricks=("bnneck",), seeds=(0,))
    sync(fabric.output, None)
    fabric.grid(tricks=("bnneck",), seeds=(0, 1))
    sync(fabric.output, None)
    shown = Shown(embedded_uri(fabric.output))
    assert shown.experiment.tags["reid.generation"] == "1"
    assert {run.data.tags["reid.kind"] for run in shown.runs} == {"plan", "arm", "run"}


def test_a_report_from_the_server_has_the_present_plan(fabric: Fabric, tmp_path: Path) -> None:
    for number, tricks in enumerate((("bnneck",), ("bnneck", "warmup"), ("bnneck",))):
        grid = fabric.grid(tricks=tricks, seeds=(0,))
        sync(fabric.output, None)
        there = download(embedded_uri(fabric.output), "demo", tmp_path / str(number))
        assert planned(there) == planned(grid)
        assert {path.name for path in (tmp_path / str(number) / "runs").iterdir()} == set(
            read_plan(grid).plan.run_by_signature
        )
        require_true(fabric, Shown(embedded_uri(fabric.output)), grid)


def test_a_launch_whose_plan_is_replaced_does_not_bring_it_back(fabric: Fabric) -> None:
    grid = fabric.grid(tricks=("bnneck", "warmup"), seeds=(0,))
    old = fabric.runs(grid)["11", 0]
    tracker = Tracker(None, fabric.output)
    tracker.open_grid(grid)
    tracker.project(old.path)
    tracker.project(fabric.runs(fabric.grid(tricks=("bnneck",), seeds=(0,)))["1", 0].path)
    tracker.project(old.path)
    shown = Shown(embedded_uri(fabric.output))
    assert shown.names("run") == {"1 s0"}
    assert shown.names("retired run") == {"11 s0 (retired)"}


def test_two_output_folders_with_one_grid_name_are_kept_apart(
    fabric: Fabric, migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where MLflow puts the artifacts of a database that is named
    uri = f"sqlite:///{shutil.copy(migrated, tmp_path / 'shared.db')}"
    other = Fabric(tmp_path / "other")
    here = fabric.grid(tricks=("bnneck",), seeds=(0,))
    there = other.grid(tricks=("bnneck",), seeds=(1,))
    for _ in range(2):
        assert sync(fabric.output, uri).notices == []
        (notice,) = sync(other.output, uri).notices
    name = notice.split("'")[1]
    assert notice == f"grid demo is shown in the experiment {name!r}"
    assert name.startswith("demo-")
    require_true(fabric, Shown(uri), here)
    require_true(other, Shown(uri, name), there)
    assert Shown(uri).experiment.tags["reid.folder"].endswith(f":{fabric.output}")
    assert planned(download(uri, name, tmp_path / "back")) == planned(there)


def test_a_renamed_experiment_stays_the_grids(fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    sync(fabric.output, None)
    uri = embedded_uri(fabric.output)
    MlflowClient(uri).rename_experiment(Shown(uri).experiment.experiment_id, "my favourite")
    assert sync(fabric.output, None).notices == ["grid demo is shown in the experiment 'my favourite'"]
    assert MlflowClient(uri).get_experiment_by_name("demo") is None
    require_true(fabric, Shown(uri, "my favourite"), grid)
    assert planned(download(uri, "demo", tmp_path / "back")) == planned(grid)


def test_an_experiment_of_somebody_else_is_left_alone_and_an_empty_one_is_used(fabric: Fabric) -> None:
    uri = embedded_uri(fabric.output)
    client = MlflowClient(uri)
    artifacts = (fabric.output / "mlartifacts").as_uri()
    theirs, empty = (client.create_experiment(name, artifact_location=artifacts) for name in ("demo", "prepared"))
    client.create_run(theirs)
    for name in ("demo", "prepared"):
        fabric.grid(name=name, tricks=("bnneck",), seeds=(0,))
    (notice,) = sync(fabric.output, None).notices
    assert "grid demo is shown in the experiment 'demo-" in notice
    assert len(client.search_runs([theirs])) == 1
    assert "reid.owner" in client.get_experiment(empty).tags
