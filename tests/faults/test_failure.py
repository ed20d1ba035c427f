"""A run that cannot be trained does not end the grid, and is not tried for ever."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reid.store.run_folder import RunFolder
from tests.faults.conftest import Misbehave
from tests.helpers.grids import UNTRACKED, ablate, final_table, start_ablate
from tests.helpers.records import raw

pytestmark = pytest.mark.faults


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    text, _ = process.communicate(timeout=900)
    return process.returncode, text


def test_runs_that_raise_hang_and_go_nan_cost_nothing_but_themselves(
    toy: Path, undisturbed: dict[str, Any], signatures: dict[str, str], misbehave: Misbehave, tmp_path: Path
) -> None:
    """All at once, as they do not meet: every other run has its undisturbed result, bit for bit."""
    orders = {"000": "raise", "110": "raise once", "011": "hang", "010": "nan"}
    environment = misbehave(
        {signatures[arm]: what for arm, what in orders.items()}, {"reid.execution.failures": {"FIRST_DELAY": 0.01}}
    )
    output = tmp_path / "output"
    code, text = end(start_ablate(toy, output, *UNTRACKED, "--watchdog", "60", environment=environment))
    assert code == 1, text
    assert "Traceback" not in text
    (counts,) = re.findall(r"^grid toy: (.+)$", text, re.MULTILINE)
    assert sorted(counts.split(", ")) == ["1 diverged", "2 failed", "5 finished"]
    assert "2 failed and quarantined" in text
    assert "`reid retry toy` releases them" in text
    folders = {arm: RunFolder(output / "runs" / signature) for arm, signature in signatures.items()}
    states: dict[str, dict[str, Any]] = {arm: raw(folder, "state") for arm, folder in folders.items()}

    raised = states["000"]
    assert (raised["state"], raised["quarantined"], raised["attempts"]) == ("failed", True, 2)
    assert "asked to raise at iteration" in raised["reason"]
    assert "Traceback" in raised["error"]
    assert folders["000"].log.read_text().count("Traceback") == 2
    hung = states["011"]
    assert (hung["state"], hung["quarantined"], hung["attempts"]) == ("failed", True, 2)
    assert hung["reason"] == "no progress for 60 s after epoch 2; its worker was ended, for the second time there"
    assert states["010"]["state"] == "diverged"
    assert "total loss is nan" in states["010"]["reason"]
    assert states["110"]["attempts"] == 2, "it was right the second time"

    code, text = end(start_ablate(toy, output, *UNTRACKED, environment=environment))
    assert code == 1, "what is quarantined stays failed"
    assert raw(RunFolder(folders["000"].path), "state")["attempts"] == 2, "and is not tried again"
    reid("retry", "toy", output=output)
    reid("forget", signatures["010"], output=output)
    ablate(toy, output, *UNTRACKED)
    assert final_table(output) == undisturbed


def reid(*words: str, output: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "reid", *words, "--output", str(output)], capture_output=True, text=True, check=True
    ).stdout


def test_failures_alike_in_a_row_end_the_launch_with_one_line(
    toy: Path, signatures: dict[str, str], misbehave: Misbehave, tmp_path: Path
) -> None:
    environment = misbehave(dict.fromkeys(signatures.values(), "raise"))
    output = tmp_path / "output"
    code, text = end(start_ablate(toy, output, *UNTRACKED, "--stop-after", "2", environment=environment))
    assert code == 1, text
    assert "stopped: 2 different runs in a row failed alike: ValueError: asked to raise at iteration" in text
    begun = [path for path in (output / "runs").iterdir() if raw(RunFolder(path), "state")]
    assert len(begun) <= 3, "no more than what was in flight"


def test_a_diverging_arm_is_a_result(toy: Path, tmp_path: Path) -> None:
    text = ablate(toy, tmp_path, *UNTRACKED, "--set", "schedule.base=1e30")
    assert "8 diverged" in text
    for path in (tmp_path / "runs").glob("*"):
        folder = RunFolder(path)
        assert "total loss is" in raw(folder, "state")["reason"]
        curves = folder.curves()
        assert curves is not None
        assert len(curves) > 0
    assert "8 diverged" in ablate(toy, tmp_path, *UNTRACKED, "--set", "schedule.base=1e30")
    assert all(raw(RunFolder(path), "state")["attempts"] == 1 for path in (tmp_path / "runs").glob("*"))
