"""Every command block of the README is run, on a small data set under the names that the README uses."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reid.ablation.grid import Grid, GridFile
from reid.config import load

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    lines = [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose experiments/demo.yaml is the repository's with tiny images, few identities and one epoch."""
    folder = tmp_path_factory.mktemp("readme")
    grid = load(ROOT / "experiments" / "demo.yaml", GridFile).model_dump(mode="json", exclude_unset=True)
    grid["dataset"]["synthesize"].update(train_identities=8, test_identities=4, cameras=2, images=4)
    grid["recipe"]["image"]["size"] = [32, 16]
    grid["recipe"]["batch"] = {"identities": 4, "images": 2}
    grid["recipe"]["schedule"].update(epochs=1, milestones=[])
    (folder / "experiments").mkdir()
    (folder / "experiments" / "demo.yaml").write_text(yaml.safe_dump(grid, sort_keys=False))
    return folder


def test_every_command_of_the_readme(workplace: Path) -> None:
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    ran = []
    for command in commands():
        where = ROOT if command.startswith("make") else workplace
        if command.startswith("make"):
            command = command.replace("make", "make --dry-run")  # this test is part of one of the two
        if "SIGNATURE" in command:
            command = command.replace("SIGNATURE", next((workplace / "output" / "runs").glob("*/model.pt")).parent.name)
        if command == "reid ui":
            assert "Leaderboard" in first_minute_of(command + " --port 0 --no-browser", where, environment)
        else:
            done = subprocess.run(
                command, shell=True, cwd=where, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        ran.append(command.split()[1])
    assert {"ablate", "status", "report", "ui", "curves", "train", "evaluate", "data", "--dry-run"} == set(ran)
    assert (workplace / "output" / "grids" / "demo" / "report.pdf").exists()


def first_minute_of(command: str, where: Path, environment: dict[str, str]) -> str:
    """What a server prints until it shows its links; it is then ended."""
    text = ""
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=where, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            text += line
            if "Leaderboard" in text:
                break
        server.send_signal(signal.SIGTERM)
    return text


def test_yaml_blocks_are_grids_that_load(tmp_path: Path) -> None:
    whole, arms, dataset, domains = blocks("yaml")
    (tmp_path / "grid.yaml").write_text(whole)
    assert len(load(tmp_path / "grid.yaml", GridFile).factors) == 6
    listed = "".join(line for line in whole.splitlines(keepends=True) if not line.startswith("factors"))
    (tmp_path / "list.yaml").write_text(listed + arms)
    assert [arm.recipe.id_loss.weight for arm in Grid(tmp_path / "list.yaml", {}).arms] == [1, 0, 1]
    rest = "".join(line for line in whole.splitlines(keepends=True) if not line.startswith("dataset"))
    (tmp_path / "own.yaml").write_text(dataset + rest)
    own = load(tmp_path / "own.yaml", GridFile).dataset
    assert own is not None
    assert own.root == Path("/data/market1501")
    (tmp_path / "domains.yaml").write_text(f"name: domains\n{domains}")
    assert len(Grid(tmp_path / "domains.yaml", {}).arms) == 6
