"""What preparing a launch leaves on disk."""

from pathlib import Path
from typing import Any

import pytest

from reid.grids.launch import Launched, prepare
from tests.execution.test_attempts import Quiet
from tests.helpers.grids import TOY


def test_one_run_with_other_fields_leaves_the_grids_plan_alone(tiny_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text(TOY.format(epochs=2, root=tiny_root))

    def planned(fields: dict[str, Any], keep_plan: bool) -> tuple[Launched, str]:
        launched = prepare(file, tmp_path / "output", fields, False, "", Quiet(), keep_plan)
        return launched, (launched.folder / "plan.json").read_text()

    _, whole = planned({}, keep_plan=False)
    single, kept = planned({"schedule.epochs": 1}, keep_plan=True)
    assert kept == whole
    assert all(single.run_store.folder(run.signature).read_run() for run in single.plan.runs)
    _, replaced = planned({"schedule.epochs": 1}, keep_plan=False)
    assert replaced != whole


def test_a_grid_that_is_planned_anew_says_so_once(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    view = Quiet()
    monkeypatch.setattr(view, "warn", warnings.append)
    file = tmp_path / "toy.yaml"
    for epochs in (2, 2, 1):
        file.write_text(TOY.format(epochs=epochs, root=tiny_root))
        prepare(file, tmp_path / "output", {}, False, "", view)
    assert [line for line in warnings if "plan" in line] == [
        "grid toy: the plan has changed: new runs: 8; no longer part of it, kept in their folders: 8"
    ]
