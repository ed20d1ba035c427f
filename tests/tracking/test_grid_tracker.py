"""MLflow says what the folders say, however often it is told."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

import reid
from reid.tracking import Tracker, TrackingError
from reid.tracking.mlflow_store import embedded_uri
from tests.helpers.records import raw, write_raw
from tests.helpers.run_on_disk import STARTED
from tests.tracking.conftest import Fabric

pytestmark = pytest.mark.slow


class Mirrored:
    """What MLflow holds of a fabric's grids."""

    def __init__(self, fabric: Fabric) -> None:
        self.client = MlflowClient(embedded_uri(fabric.output))

    def runs(self, grid: str = "demo") -> dict[str, Run]:
        """By name; fails if a name is there twice."""
        experiment = self.client.get_experiment_by_name(grid)
        assert experiment is not None
        runs = list(self.client.search_runs([experiment.experiment_id], "tags.`reid.kind` != 'plan'"))
        named = {run.info.run_name: run for run in runs}
        assert len(named) == len(runs)
        return named

    def points(self, grid: str = "demo") -> dict[str, list[tuple[str, float, int, int]]]:
        """Every stored metric point of every run."""
        return {
            name: sorted(
                (key, point.value, point.timestamp, point.step)
                for key in run.data.metrics
                for point in self.client.get_metric_history(run.info.run_id, key)
            )
            for name, run in self.runs(grid).items()
        }

    def artifacts(self, run: Run, path: str | None = None) -> set[str]:
        return {file.path for file in self.client.list_artifacts(run.info.run_id, path)}


@pytest.fixture
def mirrored(fabric: Fabric) -> Mirrored:
    return Mirrored(fabric)


def project(fabric: Fabric, grid: Path, *names: str) -> None:
    """Project these runs of a grid, as a process of its own would."""
    tracker = Tracker(None, fabric.output)
    tracker.open_grid(grid)
    for (arm, seed), folder in fabric.runs(grid).items():
        if f"{arm} s{seed}" in names:
            tracker.project(folder.path)
    tracker.close()


def test_importing_reid_tracking_does_not_import_mlflow() -> None:
    code = "import sys, reid.tracking; print('mlflow' in sys.modules)"
    root = Path(reid.__file__).parents[1]
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_a_run_is_projected_whole(fabric: Fabric, mirrored: Mirrored) -> None:
    grid = fabric.grid()
    project(fabric, grid, "10 s1", "11 s0")
    runs = mirrored.runs()
    assert set(runs) == {"10", "10 s1", "11", "11 s0"}
    run, folder = runs["10 s1"], fabric.runs(grid)["10", 1]
    assert run.data.tags["mlflow.parentRunId"] == runs["10"].info.run_id
    tags = {
        "reid.kind": "run",
        "reid.arm": "10",
        "reid.seed": "1",
        "reid.state": "finished",
        "reid.signature": folder.signature,
    }
    tags |= {
        "trick.warmup": "on",
        "trick.bnneck": "off",
        "env.torch": "2.14.1",
        "mlflow.source.name": "reid ablate experiments/demo.yaml",
    }
    assert run.data.tags.items() >= tags.items()
    assert run.data.params["trick.WU"] == "1"
    assert run.data.metrics["final/mAP"] == raw(folder, "result")["metrics"]["mAP"]
    assert (run.info.status, run.info.start_time, run.info.end_time) == (
        "FINISHED",
        STARTED * 1000,
        (STARTED + 720) * 1000,
    )
    assert mirrored.artifacts(run) == {"curves.parquet", "figures", "folder", "log.txt"}
    assert mirrored.artifacts(run, "figures") == {"figures/losses.png", "figures/learning.png"}


def test_an_arm_is_the_parent_with_the_means_of_its_seeds(fabric: Fabric, mirrored: Mirrored) -> None:
    project(fabric, fabric.grid(), "00 s0", "01 s0", "10 s0", "11 s0", "11 s1")
    runs = mirrored.runs()
    seeds = [runs[f"11 s{seed}"].data.metrics["final/mAP"] for seed in (0, 1)]
    assert runs["11"].data.metrics["final/mAP"] == pytest.approx(sum(seeds) / 2)
    assert runs["11"].data.metrics["final/mAP_sd"] == pytest.approx(abs(seeds[0] - seeds[1]) / 2**0.5)
    assert runs["11"].data.tags["reid.kind"] == "arm"
    assert "BNNeck" in runs["11"].data.tags["mlflow.note.content"]
    colors = [runs[arm].data.tags["mlflow.runColor"] for arm in ("00", "10", "01", "11")]
    assert len(set(colors)) == 3
    assert colors[1] == colors[2]
    assert mirrored.artifacts(runs["11"], "figures") == {"figures/losses.png"}


def test_an_arms_figure_waits_for_all_its_seeds(fabric: Fabric, mirrored: Mirrored) -> None:
    project(fabric, fabric.grid(outcomes={("11", 1): "stopped"}), "11 s0", "11 s1")
    assert mirrored.artifacts(mirrored.runs()["11"]) == set()


@pytest.mark.parametrize("forgotten", ["nothing", "marker", "ids"])
def test_projecting_again_changes_nothing(fabric: Fabric, mirrored: Mirrored, forgotten: str) -> None:
    grid = fabric.grid(outcomes={("01", 0): "running", ("10", 0): "failed"})
    names = ("01 s0", "10 s0", "11 s0")
    project(fabric, grid, *names)
    before = mirrored.points()
    for run in mirrored.runs().values():
        if forgotten == "marker" and "reid.projected" in run.data.tags:
            mirrored.client.delete_tag(run.info.run_id, "reid.projected")
    for folder in fabric.runs(grid).values():
        if forgotten == "ids":
            (folder.path / "mlflow.json").unlink(missing_ok=True)
    project(fabric, grid, *names)
    assert mirrored.points() == before


@pytest.mark.parametrize(
    ("state", "status"),
    [("running", "RUNNING"), ("diverged", "FINISHED"), ("failed", "FAILED"), ("stopped", "KILLED")],
)
def test_states_become_statuses(fabric: Fabric, mirrored: Mirrored, state: str, status: str) -> None:
    project(fabric, fabric.grid(outcomes={("11", 0): state}), "11 s0")
    run = mirrored.runs()["11 s0"]
    assert run.info.status == status
    assert run.data.tags["reid.state"] == state
    assert ("log.txt" in mirrored.artifacts(run)) == (state != "running")
    assert mirrored.runs()["11"].info.status == status


def test_a_run_that_has_not_begun_is_left_out(fabric: Fabric, mirrored: Mirrored) -> None:
    project(fabric, fabric.grid(outcomes={("11", 0): "planned"}), "11 s0")
    assert mirrored.runs() == {}


def test_a_run_that_has_just_begun_is_shown_without_numbers(fabric: Fabric, mirrored: Mirrored) -> None:
    grid = fabric.grid(outcomes={("11", 0): "running"})
    folder = fabric.runs(grid)["11", 0]
    write_raw(
        folder, "state", {"state": "running", "reason": None, "error": None, "started": STARTED, "updated": STARTED}
    )
    for name in ("curves.parquet", "evaluations.json", "log.txt"):
        (folder.path / name).unlink()
    project(fabric, grid, "11 s0")
    run = mirrored.runs()["11 s0"]
    assert (run.info.status, run.data.metrics) == ("RUNNING", {})
    assert "**running** after 0 of 12 epochs" in run.data.tags["mlflow.note.content"]


def test_an_arm_whose_seeds_are_not_all_begun_is_scheduled(fabric: Fabric, mirrored: Mirrored) -> None:
    project(fabric, fabric.grid(outcomes={("11", 1): "planned"}), "11 s0")
    assert mirrored.runs()["11"].info.status == "SCHEDULED"


def test_a_run_that_goes_on_has_the_points_of_one_that_never_stopped(fabric: Fabric, mirrored: Mirrored) -> None:
    unbroken = fabric.grid(name="unbroken")
    project(fabric, unbroken, "11 s0")
    folder = fabric.runs(unbroken)["11", 0]
    tracker = Tracker(None, fabric.output)
    tracker.open_grid(fabric.grid(name="broken", outcomes={("11", 0): "running"}))
    tracker.project(folder.path)
    write_raw(folder, "state", {**raw(folder, "state"), "state": "stopped"})
    tracker.project(folder.path)
    assert mirrored.runs("broken")["11 s0"].info.status == "KILLED"
    write_raw(folder, "state", {**raw(folder, "state"), "state": "running"})
    tracker.project(folder.path)
    assert mirrored.runs("broken")["11 s0"].info.status == "RUNNING"
    fabric.grid(name="broken")
    tracker.project(folder.path)
    assert mirrored.runs("broken")["11 s0"].info.status == "FINISHED"
    assert mirrored.points("broken")["11 s0"] == mirrored.points("unbroken")["11 s0"]


def test_a_run_that_two_grids_share_is_in_both_experiments_once(fabric: Fabric, mirrored: Mirrored) -> None:
    both = fabric.grid(name="six", tricks=("warmup", "bnneck")), fabric.grid(name="two", tricks=("bnneck",))
    tracker = Tracker(None, fabric.output)
    for grid in both:
        tracker.open_grid(grid)
    shared = fabric.runs(both[0])["01", 0]
    assert shared == fabric.runs(both[1])["1", 0]
    tracker.project(shared.path)
    project(fabric, both[1], "0 s0", "1 s0")
    assert set(mirrored.runs("six")) == {"01", "01 s0"}
    assert set(mirrored.runs("two")) == {"0", "0 s0", "1", "1 s0"}
    assert set(shared.read_projections()) == {"mlflow.db|six", "mlflow.db|two"}


@pytest.mark.parametrize("known", [{"missing": True}, {"deleted": True}])
def test_a_run_that_is_gone_from_the_store_is_made_again(
    fabric: Fabric, mirrored: Mirrored, known: dict[str, Any]
) -> None:
    grid = fabric.grid()
    project(fabric, grid, "11 s0")
    folder, old = fabric.runs(grid)["11", 0], mirrored.runs()["11 s0"].info.run_id
    mirrored.client.delete_run(old)
    if "missing" in known:
        folder.write_projections(dict.fromkeys(folder.read_projections(), "0" * 32))
    project(fabric, grid, "11 s0")
    run = mirrored.runs()["11 s0"]
    assert run.info.run_id != old
    assert run.data.metrics["final/mAP"] == raw(folder, "result")["metrics"]["mAP"]


def test_opening_a_grid_again_is_the_same_experiment(fabric: Fabric, mirrored: Mirrored) -> None:
    grid = fabric.grid()
    ids = {Tracker(None, fabric.output).open_grid(grid) for _ in range(2)}
    experiment = mirrored.client.get_experiment_by_name("demo")
    assert experiment is not None
    assert ids == {experiment.experiment_id}
    assert experiment.tags["mlflow.note.content"].startswith(
        "# Tricks on fabricated people\n\nWhich of the tricks helps"
    )
    assert experiment.artifact_location == (fabric.output / "mlartifacts").as_uri()


@pytest.mark.faults
def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    """Even where an earlier one was killed while it made the database."""
    fabric = Fabric(tmp_path / "output")
    grid = fabric.grid(outcomes={(arm, seed): "planned" for arm in ("00", "01", "10") for seed in (0, 1)})
    (fabric.output / ".mlflow.db.new").write_bytes(b"half a database")
    code = (
        "import sys; from pathlib import Path; from reid.tracking import Tracker\n"
        "tracker = Tracker(None, Path(sys.argv[1])); print(tracker.open_grid(Path(sys.argv[2])))\n"
        "[tracker.project(Path(path)) for path in sys.argv[3:]]"
    )
    command = [
        sys.executable,
        "-c",
        code,
        str(fabric.output),
        str(grid),
        *(str(f.path) for f in fabric.runs(grid).values()),
    ]
    root = Path(reid.__file__).parents[1]
    processes = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    told = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert {out for out, _ in told} == {b"1\n"}
    assert set(Mirrored(fabric).runs()) == {"11", "11 s0", "11 s1"}


def test_a_dead_server_is_told_soon_and_tried_again(fabric: Fabric) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
    grid = fabric.grid()
    tracker = Tracker(uri, fabric.output)
    began = time.monotonic()
    with pytest.raises(TrackingError, match=f"tracking store {uri}: "):
        tracker.open_grid(grid)
    with pytest.raises(TrackingError, match=f"tracking store {uri}: "):
        tracker.project(fabric.runs(grid)["11", 0].path)
    assert time.monotonic() - began < 20


def test_a_run_of_no_open_grid_is_refused(fabric: Fabric) -> None:
    with pytest.raises(TrackingError, match="no open grid has this run"):
        Tracker(None, fabric.output).project(fabric.runs(fabric.grid())["11", 0].path)
