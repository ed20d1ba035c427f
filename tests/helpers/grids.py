"""A toy grid run by the real command line, for the tests that interrupt it and those that look at all it leaves."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from reid.store.run_folder import RunFolder
from tests.helpers.records import raw

TOY = """\
name: toy
title: Three tricks on a toy
question: Does the machinery hold?
dataset: {{name: tiny, root: {root}}}
recipe:
  image: {{size: [32, 16]}}
  augmentation: {{pad: 2}}
  batch: {{identities: 4, images: 2}}
  backbone: {{name: resnet10_narrow, stem_relu: true, pretrained: none}}
  schedule: {{base: 3e-3, epochs: {epochs}, milestones: []}}
  evaluation: {{every: 2}}
factors: {{random_erasing: , bnneck: , center_loss: }}
seeds: [0]
"""


# For launches whose test does not look at MLflow: its tables and figures cost as much as the toy's training.
UNTRACKED = ("--tracking-uri", "http://127.0.0.1:9")


def write_toy(folder: Path, root: Path, epochs: int = 12) -> Path:
    file = folder / "toy.yaml"
    file.write_text(TOY.format(root=root, epochs=epochs))
    return file


def start_ablate(
    grid: Path, output: Path, *words: str, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """`reid ablate` in a process group of its own, as a terminal would start it, with more `environment` if given."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "reid",
            "ablate",
            str(grid),
            "--output",
            str(output),
            "--slots",
            "2",
            "--device",
            "cpu",
            *words,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **(environment or {})},
    )


def ablate(grid: Path, output: Path, *words: str) -> str:
    """Run it to its end; returns what it printed."""
    process = start_ablate(grid, output, *words)
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    return text


def workers_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The live worker processes of a running `reid ablate`: children of the server that it forks them from."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended since it was listed; a zombie is one of these too
            if child.ppid() != process.pid and "forkserver" in " ".join(child.cmdline()):
                found.append(child)
    return found


def wait_for(condition: Any, seconds: float = 120) -> None:
    """Poll until `condition()` is true; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def wait_during(process: "subprocess.Popen[str]", condition: Any) -> None:
    """Poll until `condition()` is true; AssertionError with what the process printed where it ends before."""
    wait_for(lambda: condition() or process.poll() is not None, 300)
    assert process.poll() is None, process.communicate()[0]


def states(output: Path) -> dict[str, str]:
    return {path.name: RunFolder(path).read_state().state for path in (output / "runs").glob("*")}


def epochs_done(output: Path) -> int:
    """Whole epochs over all runs, from their state files."""
    return sum((raw(RunFolder(path), "state") or {}).get("epoch", 0) for path in (output / "runs").glob("*"))


def final_table(output: Path) -> dict[str, Any]:
    """Everything a run's result is made of, by arm: metrics, every query's AP, curves and weights."""
    plan = json.loads((output / "grids" / "toy" / "plan.json").read_text())
    table = {}
    for run in plan["runs"]:
        folder = RunFolder(output / "runs" / run["signature"])
        curves, ap = folder.curves(), folder.query_ap()
        assert curves is not None
        assert ap is not None
        weights = torch.load(folder.model, weights_only=True)
        table[run["arm"]] = {
            "state": folder.read_state().state,
            "metrics": raw(folder, "result")["metrics"],
            "evaluations": raw(folder, "evaluations"),
            "ap": ap.tobytes(),
            "curves": curves.to_numpy(np.float64).tobytes(),
            "weights": {name: tensor.numpy().tobytes() for name, tensor in weights.items()},
        }
    return table
