"""Whatever ends a study, the same command ends it: no trial lost, made twice, or left running."""

import json
from pathlib import Path
from typing import Any

import pytest

from reid.store.run_folder import RunFolder
from reid.store.study import TrialState
from reid.studies.launch import status
from tests.e2e.test_tune import start_tune, tune
from tests.helpers.grids import epochs_done, wait_for, workers_of
from tests.helpers.records import raw
from tests.studies.synthetic import write_study

pytestmark = pytest.mark.faults
MORE = "seeds: [0]\nfresh_seeds: 1"


def trials_of(output: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((output / "studies" / "toy" / "trials.json").read_text())
    return found


def test_a_killed_worker_and_then_a_killed_parent_cost_no_trial(tiny_root: Path, tmp_path: Path) -> None:
    file, output = write_study(tmp_path, tiny_root, 5, MORE, epochs=4), tmp_path / "output"
    process = start_tune(file, output)
    wait_for(lambda: epochs_done(output) >= 3 and workers_of(process), 300)
    workers_of(process)[0].kill()
    wait_for(lambda: epochs_done(output) >= 9, 300)
    process.kill()
    process.communicate()
    found = status(output, "toy", None)
    left = found.trials
    assert found.comparison is None
    states = [trial.state for trial in left]
    assert TrialState.RUNNING not in states
    assert TrialState.WAITING in states
    code, text = tune(file, output)
    assert "Traceback" not in text, text
    assert code in (0, 1), text  # so small a network may learn nothing, and then there is no winner
    trials = trials_of(output)
    assert [trial["number"] for trial in trials] == list(range(found.study.trials))
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    assert [trial["params"] for trial in trials[: len(left)]] == [trial.params for trial in left]
    attempts = [
        raw(RunFolder(output / "runs" / trial["runs"][0]["signature"]), "state")["attempts"] for trial in trials
    ]
    assert sum(attempts) <= 5 + 1 + 2, "only what was in flight was begun again"
    assert max(attempts) > 1
