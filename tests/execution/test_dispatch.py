import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from reid.execution.dispatch import Dispatch
from reid.execution.events import Ended, Lost, Progressed, Retrying, RunEvent, Started
from reid.execution.failures import ATTEMPTS, delay_before
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import ProgressRecord, RunState
from reid.store.run_store import RunStore, set_state
from tests.helpers.fake_executor import Clock, FolderExecutor, Script, fail, finish, lose
from tests.helpers.records import asked, raw


class Bench:
    """A dispatch on a fake executor with a clock set by hand."""

    def __init__(self, output: Path, runs: int, slots: int = 2, **about: Any) -> None:
        self.run_store, self.clock = RunStore.create(output), Clock()
        self.names = [f"run{number}" for number in range(runs)]
        for name in self.names:
            self.run_store.enter(asked(name))
        self.executor = FolderExecutor(slots)
        self.dispatch = Dispatch(self.run_store, self.executor, clock=self.clock, **about)
        self.happened: list[RunEvent] = []

    def script(self, name: str, *scripts: Script) -> None:
        self.executor.scripts[name] = list(scripts)

    def go(self, rounds: int = 1, seconds: float = 1.0) -> None:
        for _ in range(rounds):
            self.happened += self.dispatch.advance(0)
            self.clock.now += seconds

    def until_idle(self, seconds: float = 1.0, rounds: int = 2000) -> None:
        while not self.dispatch.idle():
            rounds -= 1
            assert rounds > 0, "never idle"
            self.go(seconds=seconds)

    def told(self, name: str) -> list[str]:
        """What was said of a run; outcomes by their state."""
        words: dict[type, str] = {Started: "started", Retrying: "retry", Progressed: "progress"}
        mine = [event for event in self.happened if event.signature == name]
        return [str(event.state) if isinstance(event, Ended) else words[type(event)] for event in mine]

    def state(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = raw(self.run_store.folder(name), "state")
        return state


def test_runs_are_trained_in_order_and_slots_are_filled(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)
    assert bench.dispatch.free() == 2
    for name in bench.names:
        bench.dispatch.submit(name)
    assert bench.dispatch.free() == -1
    bench.until_idle()
    assert bench.executor.started == bench.names
    assert [bench.told(name) for name in bench.names] == [["started", "finished"]] * 3


def test_a_lost_run_goes_on_after_a_delay_and_keeps_its_slot(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2, slots=1)
    bench.script("run0", lose, lose)
    bench.dispatch.submit("run0")
    bench.go()
    assert bench.told("run0") == ["started", "retry"]
    last = bench.happened[-1]
    assert isinstance(last, Retrying)
    assert last.reason.startswith("worker killed by SIGKILL; again in ")
    assert bench.state("run0")["state"] == "stopped"
    assert bench.dispatch.free() == 0, "what fails here now would fail another run as well"
    bench.until_idle()
    assert bench.told("run0") == ["started", "retry", "started", "retry", "started", "finished"]


def test_what_never_gets_anywhere_is_given_up_but_not_held(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1)
    bench.script("run0", *[fail("disk", transient=True)] * 50)
    bench.dispatch.submit("run0")
    bench.until_idle()
    assert bench.told("run0") == ["started", "retry"] * (ATTEMPTS - 1) + ["started", "failed"]
    waits = sum(delay_before("run0", attempt) for attempt in range(1, ATTEMPTS))
    assert waits <= bench.clock.now <= waits + 3 * ATTEMPTS
    assert not bench.run_store.is_settled("run0")


def test_progress_forgives_what_was_before(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1)

    def progress_and_lose(folder: RunFolder) -> Any:
        set_state(folder, epoch=folder.read_state().epoch + 1)
        return lose(folder)

    bench.script("run0", *[progress_and_lose] * 3 * ATTEMPTS)
    bench.dispatch.submit("run0")
    bench.until_idle()
    assert bench.told("run0")[-1] == "finished"


def test_an_error_is_tried_once_more_and_then_held(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)
    bench.script("run0", fail("a"), fail("a"), finish)
    bench.script("run1", fail("a"), finish)
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.until_idle()
    assert bench.told("run0") == ["started", "retry", "started", "failed"]
    assert bench.state("run0")["quarantined"]
    assert bench.told("run1") == ["started", "retry", "started", "finished"]
    bench.dispatch.submit("run0")
    bench.until_idle()
    assert bench.told("run0")[4:] == ["failed"], "a held run is not started again"


def test_an_outcome_taken_over_from_another_run_is_not_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1)

    def inherit(folder: RunFolder) -> Any:
        return fail("", reason="failed (training shared with run x)")(folder)

    bench.script("run0", inherit)
    bench.dispatch.submit("run0")
    bench.until_idle()
    assert bench.told("run0") == ["started", "failed"]


def test_a_worker_asked_to_end_is_preempted_but_a_run_asked_to_stop_has_stopped(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)

    def stop(transient: bool) -> Script:
        def script(folder: RunFolder) -> Any:
            fail("", transient=transient)(folder)
            set_state(folder, state=RunState.STOPPED)
            return Ended(folder.signature, RunState.STOPPED)

        return script

    bench.script("run0", stop(transient=True))
    bench.script("run1", stop(transient=False))
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.until_idle()
    assert bench.told("run0") == ["started", "retry", "started", "finished"]
    assert bench.told("run1") == ["started", "stopped"]


@pytest.mark.parametrize(("hangs", "outcome"), [(1, "finished"), (2, "failed")])
def test_a_run_that_hangs_twice_at_one_epoch_is_held(tmp_path: Path, hangs: int, outcome: str) -> None:
    bench = Bench(tmp_path, 1, watchdog=60.0)
    bench.executor.hangs["run0"] = hangs
    bench.dispatch.submit("run0")
    bench.go(rounds=59)
    assert bench.executor.killed == []
    bench.until_idle()
    assert bench.executor.killed == ["run0"] * hangs
    assert bench.told("run0") == ["started", "retry", "started", outcome]
    assert bench.run_store.is_settled("run0")
    assert bench.state("run0")["quarantined"] is (outcome == "failed")


def test_what_shows_progress_or_waits_for_its_turn_does_not_hang(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2, watchdog=60.0)
    bench.executor.hanging.update(bench.names)
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.go()
    set_state(bench.run_store.folder("run0"), state=RunState.RUNNING)  # nobody has begun run1: a queue elsewhere
    for number in range(10):
        bench.run_store.folder("run0").write_progress(ProgressRecord(epoch=1))
        os.utime(bench.run_store.folder("run0").progress, (number, number))
        bench.go(rounds=30)
    assert bench.executor.killed == []


def test_different_runs_that_fail_alike_end_the_launch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 10, slots=1, stop_after=3)
    for name in bench.names:
        bench.script(name, fail("same"), fail("same"))
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.until_idle()
    assert bench.dispatch.gave_up == "stopped: 3 different runs in a row failed alike: Error: same"
    assert bench.dispatch.stopping
    assert len(set(bench.executor.started)) == 3


def test_one_that_succeeds_between_breaks_the_row(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 10, slots=1, stop_after=3)
    for name in bench.names[:2] + bench.names[3:5]:
        bench.script(name, fail("same"), fail("same"))
    for name in bench.names[6:]:
        bench.script(name, fail(name), fail(name))
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.until_idle()
    assert bench.dispatch.gave_up is None


def test_what_another_process_trains_is_waited_for_and_its_result_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 3)
    folder = bench.run_store.folder("run0")
    with claim(folder):
        for name in bench.names:
            bench.dispatch.submit(name)
        bench.go(rounds=20)
        assert bench.told("run0") == ["retry"]
        first = bench.happened[0]
        assert isinstance(first, Retrying)
        assert f"process {os.getpid()}; waiting for it" in first.reason
        assert [bench.told(name)[-1] for name in bench.names[1:]] == ["finished", "finished"], "others went on"
        assert not bench.dispatch.idle()
        set_state(folder, state=RunState.FINISHED)
    bench.until_idle()
    assert bench.told("run0") == ["retry", "finished"]
    assert "run0" not in bench.executor.started


def test_what_another_machine_left_is_taken_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1)
    record = {"host": "gone", "machine": "elsewhere", "pid": 1, "began": 1.0}
    (bench.run_store.folder("run0").path / "claim.1.json").write_text(json.dumps(record))
    bench.dispatch.submit("run0")
    bench.go(rounds=110)
    assert bench.told("run0") == ["retry"]
    bench.until_idle()
    assert bench.told("run0") == ["retry", "started", "finished"]


def test_a_run_that_is_forgotten_meanwhile_ends_nothing_else(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 2)
    shutil.rmtree(bench.run_store.folder("run0").path)
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.script("run0", *[lose_unwritten] * ATTEMPTS)
    bench.until_idle()
    assert [bench.told(name)[-1] for name in bench.names] == ["failed", "finished"]


def lose_unwritten(folder: RunFolder) -> Lost:
    return Lost(folder.signature, "its folder cannot be written: No such file or directory")


def test_stopping_asks_what_trains_and_drops_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 4)
    bench.executor.hanging.add("run0")
    bench.script("run1", lose)
    for name in bench.names:
        bench.dispatch.submit(name)
    bench.go()
    bench.dispatch.stop()
    assert bench.run_store.folder("run0").stop_request.exists()
    bench.executor.hanging.clear()
    bench.until_idle()
    assert bench.executor.started[:2] == ["run0", "run1"]
    assert "run3" not in bench.executor.started
    assert bench.told("run1") == ["started", "retry"]


@pytest.mark.parametrize("script", [lose, fail("a"), fail("b", transient=True)])
def test_nothing_is_tried_again_while_stopping(tmp_path: Path, script: Script) -> None:
    bench = Bench(tmp_path, 1)
    bench.executor.hanging.add("run0")
    bench.script("run0", script)
    bench.dispatch.submit("run0")
    bench.go()
    bench.dispatch.stop()
    bench.executor.hanging.clear()
    bench.go()
    assert bench.dispatch.idle()
    assert len(bench.executor.started) == 1
    assert bench.told("run0")[-1] in ("stopped", "failed")
