"""A grid with one of each plugin, from another folder: trained here and on Ray, reported, tracked, listed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from reid.data.layouts import LAYOUTS
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.tracking.mlflow_store import embedded_uri
from tests.helpers.pdf_text import Read

pytestmark = [
    pytest.mark.e2e,
    # MLflow 3.17 asks SQLAlchemy 2.1 for a loader that it deprecates; nothing here can change that.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]
EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"
GRID = """\
name: own
title: One of each
plugins: [{plugins}]
dataset: {{name: people, root: people, layout: person_folders}}
recipe:
  image: {{size: [32, 16]}}
  augmentation: {{pad: 2}}
  batch: {{identities: 4, images: 2}}
  backbone: {{name: tiny_depthwise, pretrained: none}}
  schedule: {{base: 3e-3, epochs: 2, milestones: []}}
  evaluation: {{every: 1}}
factors:
  weight_average:
  losses.arcface.weight: [0, 0.5]
seeds: [0]
"""


def reid(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`reid` from `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "reid", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture
def laboratory(tiny_root: Path, tmp_path: Path) -> Path:
    """A folder with the example plugins, a data set in the layout of one of them, and a grid file that names them."""
    shutil.copytree(EXAMPLES, tmp_path / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    dataset = LAYOUTS["market1501"].read("tiny", tiny_root)
    for name, split in dataset.splits.items():
        for path, identity, camera in zip(split.paths, split.identities, split.cameras, strict=True):
            person = tmp_path / "people" / name / f"{identity:04d}"
            person.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, person / f"cam{camera}_{path.stem}.jpg")
    names = ", ".join(f"lab/{file.name}" for file in sorted(EXAMPLES.glob("*.py")))
    (tmp_path / "own.yaml").write_text(GRID.format(plugins=names))
    return tmp_path


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_a_grid_of_plugins_is_trained_tracked_and_reported(laboratory: Path, read: Read, executor: str) -> None:
    words = ["ablate", "own.yaml", "--device", "cpu", "--executor", executor, "--slots", "2"]
    done = reid(laboratory, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    grid = read_plan(laboratory / "output" / "grids" / "own")
    assert len(grid.plan.plugins) == 5
    for run in grid.plan.runs:
        folder = grid.run(run.signature)
        assert folder.require_run().plugins == grid.plan.plugins
        assert 0 < (folder.require_result().custom["mAP_worst_camera"] or 0) <= 1
        curves = folder.curves()
        assert curves is not None
        assert ("arcface_loss" in curves) == (run.arm[1] == "1")
    if executor == "local":  # what is made of the folders does not know who trained
        assert_tracked(laboratory / "output")
        assert_reported(laboratory, read)


def assert_tracked(output: Path) -> None:
    client = MlflowClient(embedded_uri(output))
    experiment = client.get_experiment_by_name("own")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`reid.kind` = 'run' and tags.`reid.arm` = '11'")
    assert "final/mAP_worst_camera" in runs[0].data.metrics
    assert "loss/arcface" in runs[0].data.metrics
    assert runs[0].data.params["losses.arcface.margin"] == "0.3"
    assert runs[0].data.tags["trick.weight_average"] == "on"


def assert_reported(laboratory: Path, read: Read) -> None:
    """With the plugins there is a method card and a metric in percent; without them the raw names."""
    done = reid(laboratory, "report", "own")
    assert done.returncode == 0, done.stderr
    folder = laboratory / "output" / "grids" / "own"
    text = read(folder / "report.pdf")
    assert "Weight averaging" in text
    assert "The weights of the last steps scatter around a better point" in text
    assert "arcface" in text
    effects = pd.read_csv(folder / "tables" / "effects.csv")
    assert np.isfinite(effects.loc[effects["metric"] == "mAP_worst_camera", "effect"]).any()
    for file in (laboratory / "lab").glob("*.py"):
        file.unlink()
    done = reid(laboratory, "report", "own")
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 5
    assert "raw names without it" in done.stderr
    text = read(folder / "report.pdf")
    assert "Weight averaging" in text, "titles are in the plan"
    assert "scatter around a better point" not in text


def test_a_plugin_that_is_edited_between_two_launches_is_told_apart(laboratory: Path) -> None:
    grid_file = laboratory / "own.yaml"
    grid_file.write_text(grid_file.read_text().replace("  weight_average:\n", ""))
    assert reid(laboratory, "ablate", "own.yaml", "--device", "cpu").returncode == 0
    file = laboratory / "lab" / "my_loss.py"
    file.write_text(file.read_text().replace("section.scale * torch", "2 * section.scale * torch"))
    grid = read_plan(laboratory / "output" / "grids" / "own")
    run = RunFolder(laboratory / "output" / "runs" / grid.plan.runs[0].signature)
    before = run.require_run().code
    run.path.joinpath("result.json").unlink()
    run.path.joinpath("state.json").unlink()
    assert reid(laboratory, "ablate", "own.yaml", "--device", "cpu").returncode == 0
    assert run.require_run().code != before
    done = reid(laboratory, "report", "own")
    assert done.returncode == 2
    assert "found more than one training code" in done.stderr
