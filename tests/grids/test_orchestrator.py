"""A plan handed to a dispatch: order, interruption, sharing, two orchestrators, and what thousands of runs cost."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reid.cli.views.status_table import closing
from reid.execution.dispatch import Dispatch
from reid.grids.orchestrator import Orchestrator
from reid.grids.status import GridStatus, RunStatusRow, open_status
from reid.store.claim import claim
from reid.store.plan import ArmRecord, Plan, PlannedRun
from reid.store.run_records import ProgressRecord, RecipeRecord, RunState
from reid.store.run_store import RunStore, set_state
from reid.store.stop_request import LOOK_SECONDS, StopRequest
from tests.helpers.fake_executor import FolderExecutor, fail
from tests.helpers.records import asked, scored


def plan_of(run_store: RunStore, runs: int, shares: dict[str, str] | None = None) -> Plan:
    names = [f"run{number:04}" for number in range(runs)]
    for name in names:
        run_store.enter(asked(name))
    recipe = RecipeRecord({"schedule": {"epochs": 1}})
    return Plan(
        name="many",
        factors=(),
        seeds=(0,),
        arms=tuple(ArmRecord(arm=name, levels={}, recipe=recipe) for name in names),
        runs=tuple(PlannedRun(signature=name, arm=name, seed=0, shares=(shares or {}).get(name)) for name in names),
    )


class Launch:
    """An orchestrator over a fake executor, with what it showed and projected."""

    def __init__(self, output: Path, plan: Plan, slots: int = 2, **about: Any) -> None:
        self.run_store, self.executor = RunStore.create(output), FolderExecutor(slots)
        self.status = open_status(plan, self.run_store, slots)
        self.shown: list[tuple[str, str]] = []
        self.projected: list[Path] = []
        self.dispatch = Dispatch(self.run_store, self.executor)
        self.stop_after: int | None = None
        self.orchestrator = Orchestrator(plan, self.status, self.dispatch, self.projected.append, self.show, **about)

    def show(self, _: GridStatus, changed: RunStatusRow | None) -> None:
        if changed is not None:
            self.shown.append((changed.signature, changed.state))
        if self.stop_after is not None and self.status.with_result() >= self.stop_after:
            self.dispatch.stop()

    def run(self) -> Counter[RunState]:
        return self.orchestrator.run()


def test_every_run_is_trained_in_the_plans_order_and_shown(tmp_path: Path) -> None:
    launch = Launch(tmp_path, plan_of(RunStore.create(tmp_path), 5))
    assert launch.run() == {"finished": 5}
    names = list(launch.status.runs)
    assert launch.executor.started == names
    assert [name for name, state in launch.shown if state == "finished"] == names
    assert launch.status.with_result() == 5
    assert launch.status.remaining_seconds() == 0
    assert all(run.mAP == 0.5 for run in launch.status.runs.values())
    assert closing(launch.status) == (["grid many: 5 finished"], 0)


def test_a_run_that_shares_a_training_waits_for_it(tmp_path: Path) -> None:
    run_store = RunStore.create(tmp_path)
    launch = Launch(tmp_path, plan_of(run_store, 6, {"run0001": "run0004", "run0002": "run0004", "run0003": "run0000"}))
    assert launch.run() == {"finished": 6}
    order = launch.executor.started
    assert order.index("run0004") < min(order.index("run0001"), order.index("run0002"))
    assert order.index("run0000") < order.index("run0003")
    again = Launch(tmp_path, plan_of(run_store, 7, {"run0006": "run0000"}))
    assert again.run() == {"finished": 7}
    assert again.executor.started == ["run0006"], "its source was over before"


def test_what_is_held_is_left_alone_and_said(tmp_path: Path) -> None:
    plan = plan_of(RunStore.create(tmp_path), 3)
    first = Launch(tmp_path, plan)
    first.executor.scripts["run0001"] = [fail("a"), fail("a")]
    assert first.run() == {"finished": 2, "failed": 1}
    lines, code = closing(first.status)
    assert code == 1
    assert lines[1] == "1 failed and quarantined: `reid status many` says why, `reid retry many` releases them"
    second = Launch(tmp_path, plan)
    assert second.run() == {"finished": 2, "failed": 1}
    assert second.executor.started == []
    assert closing(second.status) == (lines, 1)


def test_a_stop_request_made_now_stops_and_an_old_one_does_not(tmp_path: Path) -> None:
    plan, grid = plan_of(RunStore.create(tmp_path), 40), tmp_path / "grid"
    grid.mkdir()
    StopRequest(grid).make()
    launch = Launch(tmp_path, plan, slots=1, stop_request=StopRequest(grid))
    asked = launch.orchestrator.stop_request
    assert asked is not None
    for run in plan.runs[10:]:
        launch.executor.hangs[run.signature] = 1

    def look(board: GridStatus, changed: RunStatusRow | None) -> None:
        launch.show(board, changed)
        if launch.executor.hanging and not launch.dispatch.stopping:
            StopRequest(grid).make()
            asked.looked -= LOOK_SECONDS
        if launch.run_store.folder("run0010").stop_request.exists():
            launch.executor.hanging.clear()

    launch.orchestrator.show = look
    assert launch.run()[RunState.FINISHED] == 11, "the one in flight was let finish"
    assert closing(launch.status)[1] == 130


def test_two_orchestrators_share_a_grid_and_both_end_with_the_whole_table(tmp_path: Path) -> None:
    plan = plan_of(RunStore.create(tmp_path), 20)
    one, other = Launch(tmp_path, plan), Launch(tmp_path, plan)
    for _ in range(200):
        for launch in (one, other, other):  # what one has trained the other passes over
            launch.orchestrator._advance()
    assert one.dispatch.idle()
    assert other.dispatch.idle()
    assert sorted(one.executor.started + other.executor.started) == sorted(one.status.runs)
    assert one.executor.started
    assert other.executor.started
    assert one.status.counts() == other.status.counts() == {"finished": 20}


def calls_of(output: Path, runs: int) -> int:
    """Function calls, those of C too, that launching, interrupting, resuming and showing a grid takes."""
    run_store = RunStore.create(output)
    plan, calls = plan_of(run_store, runs), 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        first = Launch(output, plan)
        first.stop_after = runs // 2
        first.run()
        second = Launch(output, plan)
        second.run()
        second.status.refresh(run_store)
    finally:
        sys.setprofile(None)
    assert first.status.with_result() < runs
    assert second.status.counts() == {"finished": runs}
    assert len(set(first.executor.started + second.executor.started)) == runs
    return calls


@pytest.mark.slow
def test_the_cost_of_a_run_does_not_grow_with_the_grid(tmp_path: Path) -> None:
    few, many = calls_of(tmp_path / "few", 32), calls_of(tmp_path / "many", 256)
    assert many / 256 < 1.2 * few / 32


def test_looking_again_reads_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_store = RunStore.create(tmp_path)
    launch = Launch(tmp_path, plan_of(run_store, 30))
    launch.run()
    launch.status.refresh(run_store)
    read: list[str] = []

    def note(_board: GridStatus, run: RunStatusRow, _folder: object) -> bool:
        read.append(run.signature)
        return False

    monkeypatch.setattr(GridStatus, "_read", note)
    assert launch.status.refresh(run_store) == []
    set_state(run_store.folder("run0007"), state=RunState.FAILED)
    launch.status.refresh(run_store)
    assert read == ["run0007"]


def test_a_board_shows_who_trains_and_who_only_seems_to(tmp_path: Path) -> None:
    run_store = RunStore.create(tmp_path)
    plan = plan_of(run_store, 2)
    for name in ("run0000", "run0001"):
        set_state(run_store.folder(name), state=RunState.RUNNING, epoch=2, host="here", pid=7, slot="1")
        run_store.folder(name).write_progress(
            ProgressRecord(epoch=3, scores=scored(0.25), images_per_second=80.0, eta=9.0)
        )
    with claim(run_store.folder("run0000")):
        board = open_status(plan, run_store, 1)
    trains, seems = board.runs.values()
    assert (trains.state, trains.epoch, trains.mAP, trains.eta) == ("running", 3, 0.25, 9.0)
    assert (trains.host, trains.pid, trains.slot) == ("here", 7, "1")
    assert (seems.state, seems.reason) == ("stopped", "interrupted: its process ended without a word")
    assert board.counts() == {"running": 1, "stopped": 1}
    assert run_store.folder("run0001").read_state().state == "running", "looking writes nothing"
