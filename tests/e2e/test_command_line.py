"""The main job as a user runs it: draw, train, status, evaluate, report, MLflow."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.grids import UNTRACKED, ablate, final_table, states, write_toy

pytestmark = pytest.mark.e2e


def reid(*words: object, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "reid", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def output(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy grid, trained."""
    folder = tmp_path_factory.mktemp("main-job")
    text = ablate(write_toy(folder, tiny_root, epochs=4), folder / "output")
    assert "grid toy: 8 finished" in text
    assert "[8/8]" in text
    return folder / "output"


def test_every_run_finished_and_left_what_the_documentation_says(output: Path) -> None:
    assert set(states(output).values()) == {"finished"}
    assert len(final_table(output)) == 8
    for run in (output / "runs").iterdir():
        assert {
            "run.json",
            "state.json",
            "curves.parquet",
            "evaluations.json",
            "result.json",
            "query_ap.npy",
            "query_identities.npy",
            "model.pt",
        } <= {path.name for path in run.iterdir()}
        assert not list(run.glob("checkpoint*"))
        cost = json.loads((run / "result.json").read_text())["cost"]
        assert all(value > 0 for key, value in cost.items() if key not in ("shares", "shared"))


def test_the_same_command_trains_nothing_again(output: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (output / "runs").glob("*/result.json")}
    assert "8 finished" in ablate(output.parent / "toy.yaml", output)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_status_and_evaluate(output: Path, tiny_root: Path) -> None:
    assert "8 finished" in reid("status", "toy", "--output", output)
    signature = next((output / "runs").iterdir()).name
    result = json.loads(reid("evaluate", signature[:8], "--on", tiny_root, "--output", output))
    own = json.loads((output / "runs" / signature / "result.json").read_text())["metrics"]
    assert {name: result[name] for name in own} == pytest.approx(own)


def test_one_arm_in_the_foreground_is_the_grids_own_run(output: Path, tmp_path: Path) -> None:
    text = reid("train", output.parent / "toy.yaml", "--arm", "010", "--output", tmp_path)
    assert ": finished" in text
    signature = next(path.name for path in (tmp_path / "runs").iterdir() if (path / "result.json").exists())
    ours, theirs = ((root / "runs" / signature / "query_ap.npy").read_bytes() for root in (tmp_path, output))
    assert ours == theirs


def test_report(output: Path, tmp_path: Path) -> None:
    written = reid("report", "toy", "--output", output, "-o", tmp_path / "report.pdf").split()
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert {Path(path).suffix for path in written} == {".pdf", ".csv"}
    assert all(Path(path).stat().st_size > 0 for path in written)


def test_mlflow_holds_an_arm_and_a_child_per_seed_with_true_states(output: Path) -> None:
    with sqlite3.connect(output / "mlflow.db") as store:
        runs = store.execute(
            "select t.value, r.status from runs r join tags t on t.run_uuid = r.run_uuid where t.key = 'reid.kind'"
        ).fetchall()
        assert sorted(runs) == [("arm", "FINISHED")] * 8 + [("plan", "FINISHED")] + [("run", "FINISHED")] * 8
        views = store.execute("select key from experiment_tags where key like 'mlflow.sharedViewState.%'").fetchall()
    assert len(views) >= 3


def test_sync_rebuilds_a_lost_store(output: Path, tmp_path: Path) -> None:
    copy = tmp_path / "output"
    shutil.copytree(output, copy)
    (copy / "mlflow.db").unlink()
    shutil.rmtree(copy / "mlartifacts")
    assert "8 runs projected" in reid("sync", "--output", copy)
    with sqlite3.connect(copy / "mlflow.db") as store:
        assert store.execute("select count(*) from runs").fetchone() == (17,)


def test_an_unreachable_mlflow_does_not_stop_training(tiny_root: Path, tmp_path: Path) -> None:
    grid = write_toy(tmp_path, tiny_root, epochs=4)
    grid.write_text(grid.read_text().replace("{random_erasing: , bnneck: , center_loss: }", "{bnneck: }"))
    text = ablate(grid, tmp_path / "output", *UNTRACKED)
    assert "2 finished" in text
    assert "training goes on" in text
    assert "2 runs projected" in reid("sync", "--output", tmp_path / "output")
