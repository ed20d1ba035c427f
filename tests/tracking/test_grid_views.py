"""The saved views name columns, charts and links that exist."""

import base64
import json
import zlib
from typing import Any

import pytest

from reid.store.plan import read_plan
from reid.tracking import payload as facts
from reid.tracking import server
from reid.tracking.grid_views import TAG, VIEWS, view_links, view_tags
from tests.tracking.conftest import Fabric


def unpack(tag: str) -> tuple[str, dict[str, Any]]:
    """(name, state) as the UI reads a view's tag."""
    view = json.loads(tag)
    form, _, packed = view["state"].partition(";")
    assert form == "deflate"
    return view["name"], json.loads(zlib.decompress(base64.b64decode(packed)))


def test_views_are_tags_that_the_ui_can_unpack(fabric: Fabric) -> None:
    tags = view_tags(read_plan(fabric.grid()).plan)
    assert {key: unpack(tag)[0] for key, tag in tags.items()} == {
        f"{TAG}leaderboard": "Leaderboard",
        f"{TAG}by-arm": "By arm",
        f"{TAG}charts": "Charts",
    }
    for _, state in map(unpack, tags.values()):
        assert state["searchFilter"] == "tags.`reid.kind` = 'run'"
        assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`final/mAP`", False)


def test_views_use_what_runs_have(fabric: Fabric) -> None:
    plan = read_plan(path := fabric.grid()).plan
    folder = fabric.runs(path)["11", 0]
    metrics = {point.key for point in facts.run_points(folder)}
    columns = {f"metrics.`{key}`" for key in metrics} | {f"params.`{key}`" for key in facts.run_params(plan, folder)}
    columns |= {f"tags.`{key}`" for key in facts.run_tags(plan, folder)}
    states = {key: make(plan) for key, (_, make) in VIEWS.items()}
    for state in states.values():
        assert set(state["selectedColumns"]) <= columns
    for card in states["charts"]["compareRunCharts"]:
        used = {*card.get("selectedMetricKeys", ()), *card.get("selectedMetrics", ()), card.get("metricKey")}
        used |= {card[axis]["key"] for axis in ("xaxis", "yaxis") if axis in card}
        assert used - {None} <= metrics
    assert set(states["by-arm"]["groupsExpanded"]) == {f"tag.reid.arm.{arm}" for arm in ("00", "01", "10", "11")}


def test_links_open_each_view_in_model_training_mode() -> None:
    links = view_links("http://127.0.0.1:5000/", "3")
    page = "http://127.0.0.1:5000/#/experiments/3/runs?workflowType=machine_learning"
    assert links["Leaderboard"] == f"{page}&viewStateShareKey=leaderboard"
    assert links["Charts"] == f"{page}&viewStateShareKey=charts&compareRunsMode=CHART"


@pytest.mark.parametrize(
    ("version", "known"), [("3.17.2", True), ("3.18.0", True), ("3.1.8", False), ("3.99.0", False)]
)
def test_an_mlflow_whose_ui_is_not_tested_gets_no_views_and_one_line(
    version: str, known: bool, fabric: Fabric, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reid.tracking.grid_views.version", lambda _: version)
    assert bool(view_tags(read_plan(fabric.grid()).plan)) is known
    server._show("http://here", [("toy", "3", view_links)], open_browser=False)
    lines = capsys.readouterr().out.splitlines()
    if known:
        assert lines[0] == "toy"
    else:
        assert lines == [
            f"MLflow {version} is shown without saved views, which are tested with 3.17 and 3.18.",
            "toy",
            "  Runs         http://here/#/experiments/3/runs?workflowType=machine_learning",
        ]
