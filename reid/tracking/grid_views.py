"""The saved views of a grid's experiment: what a user sees first in the MLflow UI.

MLflow keeps a view as an experiment tag ``mlflow.sharedViewState.<key>``. The format is undocumented; this is what the
UI of MLflow 3.17 itself writes when a view is saved, and a browser test holds it for the TESTED versions: others get no
views. Opening a grid writes its three views anew; views that a user saves under other names stay.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from reid.store.plan import Plan
from reid.tracking.keys import LONGEST_EXPERIMENT_TAG, key
from reid.tracking.payload import milliseconds

State = dict[str, Any]  # a page's state, as the UI keeps it
TAG = "mlflow.sharedViewState."
TESTED = ("3.17", "3.18")  # the browser tests of views passed with these
MOST_CLOSED = 500  # arms; the list of them must fit into a tag
# Columns as the UI names them, with their widths in pixels.
RUN_NAME, CREATED, DURATION = "attributes.`Run Name`", "runDateAndNestInfo", "duration"
STATE = {"tags.`reid.state`": 80}
RESULTS = {
    "metrics.`final/mAP`": 100,
    "metrics.`final/rank1`": 100,
    "metrics.`final/mINP`": 100,
    "metrics.`time/train_seconds`": 130,
}
# Metrics are grouped in the UI by what stands before the slash; "System metrics" is its own name for system/.
SECTIONS = ("dynamics", "final", "loss", "spaces", "time", "train", "val", "System metrics")


def leaderboard(plan: Plan) -> State:
    """Runs in order of mAP, with the tricks that are on."""
    return runs_page({**RESULTS, **_tricks(plan), **STATE})


def by_arm(plan: Plan) -> State:
    """A row an arm, in order of mean mAP; it opens to the arm's runs, and is open where they are too many to list."""
    group = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": "reid.arm"}]}
    closed = {f"tag.reid.arm.{arm.arm}": False for arm in plan.arms[:MOST_CLOSED]}
    return runs_page({**_tricks(plan), **RESULTS, **STATE}, groupBy=group, groupsExpanded=closed)


def charts(plan: Plan) -> State:
    """What the tricks do together, how the runs learn, what they cost."""
    tricks = [key(f"trick.{short}") for short in plan.shorts.values()]
    cost, result = [{"key": key, "type": "METRIC"} for key in ("time/train_seconds", "final/mAP")]
    cards: list[State] = [
        {
            "type": "PARALLEL",
            "displayName": "Tricks and mAP",
            "selectedParams": tricks,
            "selectedMetrics": ["final/mAP"],
            "showAllRuns": True,
        },
        line_chart("mAP over epochs", "val/mAP"),
        {"type": "SCATTER", "displayName": "Cost and mAP", "xaxis": cost, "yaxis": result},
        line_chart("ID loss and triplet loss", "loss/id", "loss/triplet"),
        {"type": "BAR", "displayName": "mAP by run", "metricKey": "final/mAP"},
    ]
    common = {"metricSectionId": "reid", "deleted": False, "isGenerated": False, "runsCountToCompare": 500}
    sections = [
        {"uuid": "reid", "name": plan.name, "display": True, "isGenerated": False, "columns": 3, "cardHeight": 300}
    ]
    # The UI adds a section of charts for every group of metrics: below ours, and closed.
    sections += [{"uuid": f"reid-{name}", "name": name, "display": False, "isGenerated": True} for name in SECTIONS]
    return runs_page(
        {**STATE, **RESULTS},
        compareRunCharts=[{"uuid": f"reid-{index}", **common, **card} for index, card in enumerate(cards)],
        compareRunSections=[{"isReordered": False, "deleted": False, **section} for section in sections],
        isAccordionReordered=True,  # else the UI sorts our section in among its own
    )


VIEWS = {"leaderboard": ("Leaderboard", leaderboard), "by-arm": ("By arm", by_arm), "charts": ("Charts", charts)}


def line_chart(title: str, *metrics: str) -> State:
    return {
        "type": "LINE",
        "displayName": title,
        "metricKey": metrics[0],
        "selectedMetricKeys": list(metrics),
        "xAxisKey": "step",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "selectedXAxisMetricKey": "",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "range": {},
        "lineSmoothness": 0,
        "displayPoints": False,
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _tricks(plan: Plan) -> dict[str, int]:
    return {f"params.`{key(f'trick.{short}')}`": 82 for short in plan.shorts.values()}


def runs_page(columns: dict[str, int], **changes: Any) -> State:
    """The whole state of the runs page: these columns from left to right, with widths, and what a view changes."""
    widths = {RUN_NAME: 190 if changes.get("groupBy") else 140, **columns, CREATED: 130, DURATION: 80}
    return {
        "searchFilter": "tags.`reid.kind` = 'run'",
        "orderByKey": "metrics.`final/mAP`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnOrder": list(widths),
        "columnWidths": widths,
        "runsHiddenMode": "SHOW_ALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        **changes,
    }


def pack(name: str, created: int, state: State) -> str:
    """The tag's value: the state as JSON, deflated, in base64, with the view's name and time (ms)."""
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return json.dumps({"name": name, "createdAt": created, "updatedAt": created, "state": f"deflate;{packed}"})


def untested() -> str | None:
    """The version of the MLflow installed here if its UI is not known to show our views, None if it is."""
    found = version("mlflow")
    return None if found.startswith(tuple(f"{minor}." for minor in TESTED)) else found


def tags_of(created: str | float, views: Mapping[str, tuple[str, State]]) -> dict[str, str]:
    """The experiment tags that make saved views, given as key to (name, state); none for an untested MLflow.

    A view of more columns than a tag has room for is left out.
    """
    if untested():
        return {}
    time = milliseconds(created)
    packed = {f"{TAG}{key}": pack(name, time, state) for key, (name, state) in views.items()}
    return {tag: view for tag, view in packed.items() if len(view) <= LONGEST_EXPERIMENT_TAG}


def links_to(base: str, experiment: str, views: Mapping[str, str]) -> dict[str, str]:
    """Address of every saved view, given as key to name, by its name; of the runs alone for an untested MLflow.

    `base` is the server's address.
    """
    page = f"{base.rstrip('/')}/#/experiments/{experiment}/runs?workflowType=machine_learning"
    if untested():
        return {"Runs": page}
    links = {name: f"{page}&viewStateShareKey={key}" for key, name in views.items()}
    return {**links, "Charts": f"{links['Charts']}&compareRunsMode=CHART"}


def view_tags(plan: Plan) -> dict[str, str]:
    """The experiment tags that make the saved views of a grid."""
    return tags_of(plan.created, {key: (name, make(plan)) for key, (name, make) in VIEWS.items()})


def view_links(base: str, experiment: str) -> dict[str, str]:
    """Address of every saved view of a grid by its name."""
    return links_to(base, experiment, {key: name for key, (name, _) in VIEWS.items()})
