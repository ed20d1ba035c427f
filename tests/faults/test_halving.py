"""A grid with a budget: killed and continued it ends the arms it must; without the budget these go on to their end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid.grids.halving import ArmProgress, Halving, decide
from reid.store.run_folder import RunFolder
from tests.helpers.grids import UNTRACKED, ablate, final_table, start_ablate, wait_during
from tests.helpers.records import raw

pytestmark = pytest.mark.faults


@pytest.fixture
def halved(toy: Path, tmp_path: Path) -> Path:
    """The toy grid with rungs at epochs 4 and 8 of 12: 8 arms, then 4 or 5, then 2 or 3."""
    file = tmp_path / "toy.yaml"
    file.write_text(toy.read_text() + "budget: {halving: {first: 4, factor: 2}}\n")
    return file


def states(output: Path) -> dict[str, dict[str, Any]]:
    """The state of every run, by arm."""
    runs = json.loads((output / "grids" / "toy" / "plan.json").read_text())["runs"]
    return {run["arm"]: raw(RunFolder(output / "runs" / run["signature"]), "state") or {} for run in runs}


def some(condition: Callable[[dict[str, Any]], bool], output: Path) -> bool:
    planned = (output / "grids" / "toy" / "plan.json").exists()
    return planned and any(condition(state) for state in states(output).values())


def test_a_budget_survives_kills_and_can_be_taken_out(
    halved: Path, toy: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    output = tmp_path / "output"
    for moment in (lambda state: state.get("epoch", 0) >= 4, lambda state: state.get("early_stopped")):
        process = start_ablate(halved, output, *UNTRACKED)
        wait_during(process, lambda moment=moment: some(moment, output))
        process.kill()
        process.communicate()
    ablate(halved, output)
    whole = {
        arm: ArmProgress(arm, {row["epoch"]: row["mAP"] for row in run["evaluations"]})
        for arm, run in undisturbed.items()
    }
    verdicts = decide(Halving(first=4, factor=2), 12, "000", whole)
    assert sum(verdict.kind == "train" for verdict in verdicts.values()) in (2, 3)
    for arm, state in states(output).items():
        if verdicts[arm].kind == "train":
            assert state["state"] == "finished"
        else:
            found = state["state"], state["early_stopped"], state["epoch"], state["reason"]
            assert found == ("stopped", True, verdicts[arm].epoch, verdicts[arm].reason)

    before = {path: path.stat().st_mtime_ns for path in output.glob("runs/*/state.json")}
    ablate(halved, output, *UNTRACKED)
    assert {path: path.stat().st_mtime_ns for path in before} == before, "it is complete: nothing is touched"
    ablate(toy, output, *UNTRACKED)
    assert final_table(output) == undisturbed
    assert not some(lambda state: state["early_stopped"], output)
