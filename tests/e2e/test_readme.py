"""Every command block of the README is run, on a small data set under the names that the README uses."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
import yaml
from pydantic import BaseModel

from reid.cli.app import app
from reid.grids.grid import read_grid
from reid.grids.grid_file import GridFile
from reid.models import build_model
from reid.recipe import Recipe
from reid.recipe.yaml import load
from reid.registry import activate
from reid.studies.study_file import StudyFile

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    lines = [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line]


def small(described: dict[str, Any]) -> dict[str, Any]:
    """A grid or study with tiny images, few identities and one epoch."""
    described["dataset"]["synthesize"].update(train_identities=8, test_identities=4, cameras=2, images=4)
    described["recipe"]["image"]["size"] = [32, 16]
    described["recipe"]["batch"] = {"identities": 4, "images": 2}
    described["recipe"]["schedule"].update(epochs=1, milestones=[])
    return described


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's commands name: small twins of the demo's grid and study, the recipe, a checkpoint."""
    folder = tmp_path_factory.mktemp("readme")
    kinds: dict[str, type[BaseModel]] = {"experiments": GridFile, "studies": StudyFile}
    for kind, schema in kinds.items():
        described = small(load(ROOT / kind / "demo.yaml", schema).model_dump(mode="json", exclude_unset=True))
        if kind == "experiments":
            described.update(design="ladder", seeds=[0])  # seven of the 64 arms, none and all among them
        if kind == "studies":
            described.update(trials=2, fresh_seeds=2)
        (folder / kind).mkdir()
        (folder / kind / "demo.yaml").write_text(yaml.safe_dump(described, sort_keys=False))
    recipe = Path("experiments", "recipes", "strong-baseline.yaml")
    (folder / recipe).parent.mkdir()
    shutil.copy(ROOT / recipe, folder / recipe)
    network = build_model(load(ROOT / recipe, Recipe), num_classes=751)
    torch.save(network.state_dict(), folder / "resnet50_model_120.pth")
    (folder / "data").mkdir()
    (folder / "data" / "market1501").symlink_to("demo")
    (folder / "runs.csv").write_text("".join(blocks("csv")))
    return folder


def test_every_command_of_the_readme(workplace: Path) -> None:
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    ran = set()
    for command in commands():
        where = ROOT if command.startswith("make") else workplace
        if command.startswith("make"):
            command = command.replace("make", "make --dry-run")  # this test is part of one of the two
        if "SIGNATURE" in command:
            command = command.replace("SIGNATURE", next((workplace / "output" / "runs").glob("*/model.pt")).parent.name)
        ran.add(" ".join(word for word in command.split()[:2] if "/" not in word))
        if command == "reid ui":
            assert "Leaderboard" in printed_until("Leaderboard", command + " --port 0 --no-browser", where, environment)
        elif command.startswith("optuna-dashboard"):
            assert "Listening" in printed_until("Listening", command + " --port 0", where, environment)
        else:
            done = subprocess.run(
                command,
                shell=True,
                cwd=where,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    words = "ablate status report verdict ui train evaluate curves stop logs retry forget data tune list schema doctor"
    assert ran == {"make --dry-run", "optuna-dashboard", *(f"reid {word}" for word in words.split())}
    assert (workplace / "output" / "grids" / "demo" / "report.pdf").exists()
    assert (workplace / "output" / "studies" / "demo-knobs" / "report.pdf").exists()
    assert (workplace / "runs-verdict" / "verdict.html").exists()
    trick, program = blocks("python")
    (workplace / "mine.py").write_text(trick)
    listed = ["reid", "list", "tricks", "--plugin", "mine.py"]
    for words_of in (listed, ["python", "-c", program]):
        done = subprocess.run(words_of, cwd=workplace, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert "weight_average" in done.stdout or "random_erasing" in done.stdout


def test_commands_that_need_a_cluster_are_understood() -> None:
    """They are run against real clusters elsewhere; here their words are held against the command line."""
    text = "".join(blocks("text")).replace("\\\n", " ")
    found = [line.partition("  #")[0].split()[1:] for line in text.splitlines() if line.startswith("reid ")]
    assert len(found) == 3
    group: Any = typer.main.get_command(app)
    for words in found:
        group.commands[words[0]].make_context(words[0], words[1:])


def printed_until(words: str, command: str, where: Path, environment: dict[str, str]) -> str:
    """What a server prints until it says `words`, for two minutes at most; it is then ended."""
    text = ""
    with subprocess.Popen(
        ["bash", "-c", f"exec {command} 2>&1"], cwd=where, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        patience = threading.Timer(120, server.kill)
        patience.start()
        for line in server.stdout:
            text += line
            if words in text:
                break
        patience.cancel()
        server.send_signal(signal.SIGTERM)
    return text


def test_yaml_blocks_are_grids_that_load(tmp_path: Path) -> None:
    whole, until, arms, dataset, domains, study, own_trick, budget = blocks("yaml")
    (tmp_path / "grid.yaml").write_text(whole)
    assert len(load(tmp_path / "grid.yaml", GridFile).factors) == 6
    without_design = "".join(
        line for line in whole.splitlines(keepends=True) if not line.startswith(("design", "seeds"))
    )
    (tmp_path / "until.yaml").write_text(without_design + until)
    assert read_grid(tmp_path / "until.yaml", {}).spec.until is not None
    listed = "".join(
        line for line in whole.splitlines(keepends=True) if not line.startswith(("factors", "design", "seeds"))
    )
    (tmp_path / "list.yaml").write_text(listed + arms)
    assert [arm.recipe.id_loss.weight for arm in read_grid(tmp_path / "list.yaml", {}).arms] == [1, 0, 1]
    rest = "".join(line for line in whole.splitlines(keepends=True) if not line.startswith("dataset"))
    (tmp_path / "own.yaml").write_text(dataset + rest)
    own = load(tmp_path / "own.yaml", GridFile).dataset
    assert own is not None
    assert own.root == Path("/data/market1501")
    (tmp_path / "domains.yaml").write_text(f"name: domains\n{domains}")
    assert len(read_grid(tmp_path / "domains.yaml", {}).arms) == 6
    demo = yaml.safe_load((ROOT / "studies" / "demo.yaml").read_text())
    kept = yaml.safe_dump({key: demo[key] for key in ("name", "dataset", "recipe")})
    (tmp_path / "study.yaml").write_text(kept + study)
    knobs = load(tmp_path / "study.yaml", StudyFile).knobs
    assert knobs is not None
    assert len(knobs) == 3
    (tmp_path / "mine.py").write_text(blocks("python")[0])
    without = "".join(line for line in whole.splitlines(keepends=True) if not line.startswith("factors"))
    (tmp_path / "own_trick.yaml").write_text(without + own_trick)
    assert [factor.name for factor in read_grid(tmp_path / "own_trick.yaml", {}).factors] == [
        "weight_average",
        "bnneck",
    ]
    activate([])
    epochs = (
        whole.replace("design: blocks", "design: full")
        .replace("epochs: 7, milestones: [5, 7]", "epochs: 120")
        .replace("schedule:", "evaluation: {every: 20}, schedule:")
    )
    (tmp_path / "budget.yaml").write_text(epochs + budget)
    assert read_grid(tmp_path / "budget.yaml", {}).spec.budget["halving"].first == 20
