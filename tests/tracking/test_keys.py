"""Names and texts that MLflow refuses are shown all the same; what it refuses keeps nothing else from being shown."""

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

from reid.files import write_record
from reid.store.plan import FactorRecord, read_plan
from reid.tracking import keys, sync
from reid.tracking.grid_views import VIEWS
from reid.tracking.mlflow_store import embedded_uri
from tests.helpers.grids_on_disk import write_grid
from tests.tracking.conftest import Fabric

ODD = ("lr (×2) [a,b]", "Größe=2", "a/../b", "x" * 260, "1+1", ".", "/", "a//b", "`'\"", "\ud800", "a\0b", "")


@pytest.mark.parametrize("name", ["final/mAP", "trick.id_loss.weight", "final/mAP:market 1501", "loss/id"])
def test_a_name_that_mlflow_takes_stays(name: str) -> None:
    assert keys.key(name) == name


def require_taken(name: str) -> None:
    for validate in (_validate_metric_name, _validate_param_name, _validate_tag_name):
        validate(name)  # type: ignore[no-untyped-call]
    assert len(name) <= keys.LONGEST_KEY
    assert name.isascii()


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_mlflow_refuses_becomes_one_that_it_takes(name: str) -> None:
    require_taken(keys.key(f"trick.{name}"))


@given(st.text())
def test_any_name_becomes_one_that_mlflow_takes(name: str) -> None:
    require_taken(keys.key(f"trick.{name}"))


def test_two_names_do_not_become_one() -> None:
    assert not [
        pair for pair in combinations(("a+b", "a=b", "a_b", "a(b", *ODD), 2) if len(set(map(keys.key, pair))) < 2
    ]


def test_a_long_file_is_cut_in_a_note_which_says_where_it_is() -> None:
    for size in (10, 30_000):
        note = keys.note("# Title", "# a comment\n" * size, "the artifact", 20_000)
        assert len(note) <= 20_000
        assert ("Cut here; the whole file is the artifact." in note) == (size > 10)
    assert len(keys.note("t" * 50_000, "y" * 50_000, "the artifact", 8000)) <= 8000


@pytest.mark.slow
def test_a_grid_of_odd_names_is_shown_whole(fabric: Fabric) -> None:
    factor = FactorRecord(name="lr (×2) [a,b]", title="Größe=2", levels=("it's off", "on`, 100% <b>"))
    long = FactorRecord(name="x" * 260, title="y" * 9000, levels=("off", "z" * 9000))
    path = write_grid(fabric.output, factors=[factor, long], effects=[0, 0.01], epochs=12, iterations=24)
    plan = read_plan(path).plan.model_copy(update={"yaml": "# a long comment line\n" * 2000})
    write_record(path / "plan.json", plan)
    done = sync(fabric.output, None)
    assert (done.runs, done.refused) == (4, [])
    client = MlflowClient(embedded_uri(fabric.output))
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`reid.kind` = 'run'")
    for _, make in VIEWS.values():
        for column in (name for name in make(plan)["selectedColumns"] if name.startswith("params.")):
            assert all(column.removeprefix("params.").strip("`") in run.data.params for run in runs)
    (kept,) = client.search_runs([experiment.experiment_id], "tags.`reid.kind` = 'plan'")
    assert Path(client.download_artifacts(kept.info.run_id, "grid.yaml")).read_text() == plan.yaml


@pytest.mark.slow
def test_more_parameters_than_mlflow_takes_at_once(fabric: Fabric) -> None:
    factors = [FactorRecord(name=f"factor {number}", levels=("off", "on")) for number in range(120)]
    path = write_grid(fabric.output, factors=factors[:1], effects=[0.01], epochs=12, iterations=24)
    plan = read_plan(path).plan
    arms = [arm.model_copy(update={"levels": {f.name: "off" for f in factors} | arm.levels}) for arm in plan.arms]
    write_record(path / "plan.json", plan.model_copy(update={"factors": tuple(factors), "arms": tuple(arms)}))
    assert sync(fabric.output, None).refused == []


@pytest.mark.slow
def test_a_grid_that_cannot_be_shown_keeps_no_other_from_being_shown(fabric: Fabric) -> None:
    bad = fabric.grid(name="a_bad", tricks=("bnneck",), seeds=(0,))
    for name in ("b_good", "c_good"):
        fabric.grid(name=name, tricks=("bnneck",), seeds=(0,))
    longest = "a" * 600  # no experiment's name may be so long
    document = json.loads((bad / "plan.json").read_text()) | {"name": longest}
    (bad / "plan.json").write_text(json.dumps(document))
    done = sync(fabric.output, None)
    assert done.runs == 4
    (line,) = done.refused
    assert line.startswith(f"grid {longest}: tracking store sqlite://")
    assert "exceeds the maximum length" in line
    shown = {one.name for one in MlflowClient(embedded_uri(fabric.output)).search_experiments()}
    assert shown == {"Default", "b_good", "c_good"}
