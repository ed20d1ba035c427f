"""`reid ui` serves what was projected, and a user lands on the answer."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

import reid
from reid.errors import InputError
from reid.tracking import Tracker, TrackingError, serve, sync
from reid.tracking.mlflow_store import Store
from reid.tracking.server import HOST, free_port, running_server
from tests.helpers.records import raw
from tests.helpers.services import CHROMIUM, need_chromium
from tests.tracking.conftest import Fabric

SERVE = (
    "import sys; from pathlib import Path; from reid.tracking import serve; serve(Path(sys.argv[1]), None, 0, False)"
)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"--port {port}: Address already in use; choose another"):
            free_port(port)
    assert free_port(port) == port
    assert free_port(0) > 0


def test_without_a_grid_there_is_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no grid or study to show"):
        serve(tmp_path, None, 0, False)


@pytest.mark.faults
def test_a_server_that_cannot_start_is_told_with_its_log(tmp_path: Path) -> None:
    store = Store("nosuch://store", tmp_path)
    with pytest.raises(TrackingError, match="the MLflow server did not start"), running_server(store, free_port(0)):
        pytest.fail("it started")


@pytest.mark.faults
def test_a_server_that_dies_and_comes_back_is_told_everything(fabric: Fabric) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    runs, port = fabric.runs(grid), free_port(0)
    tracker = Tracker(f"http://{HOST}:{port}", fabric.output)
    with running_server(Store(None, fabric.output), port):
        tracker.open_grid(grid)
        tracker.project(runs["0", 0].path)
    assert not listening(port)
    with pytest.raises(TrackingError, match=f"tracking store http://{HOST}:{port}: "):
        tracker.project(runs["1", 0].path)
    with running_server(Store(None, fabric.output), port) as base:
        assert sync(fabric.output, base).runs == 2
        named = {run.info.run_name: run for run in tracker.store.search(tracker.open_grid(grid), {"reid.kind": "run"})}
        assert {name: run.info.status for name, run in named.items()} == {"0 s0": "FINISHED", "1 s0": "FINISHED"}
        assert named["1 s0"].data.metrics["final/mAP"] == raw(runs["1", 0], "result")["metrics"]["mAP"]


@dataclass(frozen=True)
class Served:
    """A running `reid ui`: the links it printed by view, and the mAP of its runs by name."""

    links: dict[str, str]
    mAP: dict[str, float]

    @contextmanager
    def page(self, view: str) -> Iterator[Any]:
        """The view in a fresh Chromium, once its runs are shown."""
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            try:
                page = browser.new_page(viewport={"width": 1600, "height": 1000})
                # The UI greets a new browser with a chat panel over a third of the page.
                page.add_init_script("localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')")
                page.goto(self.links[view])
                page.get_by_text("matching runs").wait_for(timeout=60_000)
                page.wait_for_function("document.querySelectorAll('.ag-row').length > 0", timeout=60_000)
                yield page
            finally:
                browser.close()


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Served]:
    """`reid ui` in a process of its own, ended by SIGTERM; nothing of it is left."""
    need_chromium()
    output = tmp_path_factory.mktemp("ui")
    shutil.copy(migrated, output / "mlflow.db")
    fabric = Fabric(output)
    runs = fabric.runs(fabric.grid(outcomes={("10", 1): "diverged"}))
    assert sync(output, None).runs == len(runs)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(output)],
        cwd=Path(reid.__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        lines = list(takewhile(lambda line: not line.startswith("Ctrl-C"), process.stdout))
        links = dict(re.findall(r"^  (.+?) +(http://\S+)$", "".join(lines), re.MULTILINE))
        results = {f"{arm} s{seed}": raw(folder, "result") for (arm, seed), folder in runs.items()}
        yield Served(links, {name: result["metrics"]["mAP"] for name, result in results.items() if result})
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert not listening(int(links["Leaderboard"].split(":")[2].split("/")[0]))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.browser
def test_the_leaderboard_shows_tricks_and_runs_in_order_of_map(ui: Served) -> None:
    with ui.page("Leaderboard") as page:
        for column in (
            "reid.state",
            "trick.WU",
            "trick.BN",
            "final/mAP",
            "final/rank1",
            "final/mINP",
            "time/train_seconds",
        ):
            page.get_by_role("columnheader", name=column).first.wait_for(timeout=30_000)
        shown = column_texts(page, "attributes.`Run Name`")
        values = [float(text) for text in column_texts(page, "metrics.`final/mAP`") if text != "-"]
        best = sorted(ui.mAP, key=lambda name: -ui.mAP[name])
        assert [text.split("\n")[-1] for text in shown] == [*best, "10 s1"]
        assert values == sorted(ui.mAP.values(), reverse=True)
        assert column_texts(page, "tags.`reid.state`") == ["finished"] * 7 + ["diverged"]
        assert column_texts(page, "params.`trick.WU`") == [name[0] for name in [*best, "10 s1"]]


@pytest.mark.browser
def test_by_arm_shows_means_over_seeds_in_order(ui: Served) -> None:
    with ui.page("By arm") as page:
        groups = [re.findall(r"Group: (\d+)", text)[0] for text in column_texts(page, "attributes.`Run Name`")]
        means = {}
        for arm in ("00", "01", "10", "11"):
            seeds = [mAP for name, mAP in ui.mAP.items() if name.startswith(arm)]
            means[arm] = sum(seeds) / len(seeds)
        assert groups == sorted(means, key=lambda arm: -means[arm])
        shown = [float(text.split()[0]) for text in column_texts(page, "metrics.`final/mAP`")]
        assert shown == pytest.approx(sorted(means.values(), reverse=True))


@pytest.mark.browser
def test_charts_are_drawn_with_data(ui: Served) -> None:
    with ui.page("Charts") as page:
        page.locator(".parcoords canvas").first.wait_for(timeout=60_000)
        plots = "[...document.querySelectorAll('.js-plotly-plot')]"
        page.wait_for_function(f"{plots}.length >= 4 && {plots}.every(plot => plot.data.length)", timeout=60_000)
        assert page.get_by_test_id("experiment-view-compare-runs-card").count() == 5
        kinds = page.evaluate(f"{plots}.map(plot => [plot.data[0].type, plot.data[0].x.length])")
        assert sorted(kinds) == [["bar", 7], ["scatter", 6], ["scatter", 7], ["scatter", 120]]
        assert sorted(page.locator(".parcoords .dimension .label").all_text_contents()) == [
            "final/mAP",
            "trick.BN",
            "trick.WU",
        ]


def column_texts(page: Any, column: str) -> list[str]:
    """Texts of a column's cells, from the first row to the last."""
    cells = page.evaluate(
        "column => [...document.querySelectorAll('.ag-row')].map(row => [Number(row.getAttribute('row-index')),"
        " row.querySelector(`[col-id='${column}']`)?.innerText.trim()]).filter(cell => cell[1] !== undefined)",
        column,
    )
    return [text for _, text in sorted(cells)]
