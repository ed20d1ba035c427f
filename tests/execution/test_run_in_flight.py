"""What becomes of a run in flight with each thing that can happen to it, as a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

import pytest

from reid.execution.dispatch import Dispatch, FailureStreak, Phase, RunInFlight
from reid.execution.events import Ended, ExecutorEvent, Lost, Retrying
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState, StateChanges
from reid.store.run_store import RunStore, set_state
from tests.helpers.fake_executor import Clock, FolderExecutor, Script, fail, finish, lose
from tests.helpers.records import asked


def says(outcome: RunState, **changes: Unpack[StateChanges]) -> Script:
    """The worker writes the outcome and these fields, and tells it."""

    def script(folder: RunFolder) -> ExecutorEvent:
        set_state(folder, **changes)
        set_state(folder, state=outcome)
        return Ended(folder.signature, outcome)

    return script


def held(folder: RunFolder) -> ExecutorEvent:
    return Ended(folder.signature, RunState.RUNNING)


def lost_at_a_hang_before(folder: RunFolder) -> ExecutorEvent:
    set_state(folder, state=RunState.RUNNING, epoch=3, hung=3)
    return Lost(folder.signature, "worker killed by SIGKILL")


GONE = None
NOW, LATER = True, False
# What the worker does, whether it was ended for hanging; then the run's phase, and for a back-off whether it is due.
TABLE: dict[str, tuple[Script, bool, Phase | None, bool | None, RunState | None]] = {
    "finished": (finish, False, GONE, None, RunState.FINISHED),
    "finished while it was being ended": (finish, True, GONE, None, RunState.FINISHED),
    "diverged": (says(RunState.DIVERGED), False, GONE, None, RunState.DIVERGED),
    "stopped as asked": (says(RunState.STOPPED), False, GONE, None, RunState.STOPPED),
    "preempted": (says(RunState.STOPPED, transient=True), False, Phase.BACKOFF, LATER, None),
    "raised": (fail("a"), False, Phase.BACKOFF, NOW, None),
    "raised, and the place is to blame": (fail("a", transient=True), False, Phase.BACKOFF, LATER, None),
    "raised as before": (says(RunState.FAILED, trace="a", quarantined=True), False, GONE, None, RunState.FAILED),
    "took over a failure": (says(RunState.FAILED), False, GONE, None, RunState.FAILED),
    "has another process": (held, False, Phase.ELSEWHERE, None, None),
    "lost": (lose, False, Phase.BACKOFF, LATER, None),
    "ended for a hang": (lose, True, Phase.BACKOFF, NOW, None),
    "ended for a second hang there": (lost_at_a_hang_before, True, GONE, None, RunState.FAILED),
}


@pytest.fixture
def start(tmp_path: Path) -> Callable[[Script], tuple[Dispatch, RunInFlight]]:
    """A dispatch whose one run is being trained, and will do what the script says when it is heard next."""

    def make(script: Script) -> tuple[Dispatch, RunInFlight]:
        store, clock = RunStore.create(tmp_path), Clock()
        store.enter(asked("run"))
        executor = FolderExecutor(1, {"run": [script]})
        executor.hanging.add("run")
        dispatch = Dispatch(store, executor, clock=clock)
        dispatch.submit("run")
        run = dispatch.runs["run"]
        before = run.phase
        dispatch.advance(0)
        assert [before, run.phase] == [Phase.QUEUED, Phase.RUNNING]
        executor.hanging.clear()
        return dispatch, run

    return make


@pytest.mark.parametrize("happens", TABLE)
def test_what_becomes_of_a_running_run(happens: str, start: Callable[[Script], tuple[Dispatch, RunInFlight]]) -> None:
    script, hung, phase, due, outcome = TABLE[happens]
    dispatch, run = start(script)
    run.hung = hung
    (told,) = dispatch.advance(0)
    if phase is GONE:
        assert outcome is not None
        assert told == Ended("run", outcome)
        assert dispatch.idle()
        return
    assert isinstance(told, Retrying)
    assert dispatch.runs == {"run": run}
    assert run.phase is phase
    assert dispatch.free() == (1 if phase is Phase.ELSEWHERE else 0)
    if phase is Phase.BACKOFF:
        assert (run.due <= dispatch.clock()) is due


@pytest.mark.parametrize("happens", TABLE)
def test_while_stopping_nothing_stays_in_flight(
    happens: str, start: Callable[[Script], tuple[Dispatch, RunInFlight]]
) -> None:
    script, hung, *_ = TABLE[happens]
    dispatch, run = start(script)
    run.hung = hung
    dispatch.stop()
    assert run.phase is Phase.RUNNING
    (told,) = dispatch.advance(0)
    assert isinstance(told, Ended)
    assert told.state == dispatch.store.folder("run").read_state().state
    assert dispatch.idle()


def test_a_back_off_that_is_due_goes_first_and_one_that_others_left_goes_last(tmp_path: Path) -> None:
    store, clock = RunStore.create(tmp_path), Clock()
    for name in ("due", "left", "new"):
        store.enter(asked(name))
    dispatch = Dispatch(store, FolderExecutor(0), clock=clock)  # with no slot, nothing is started
    for name in ("due", "left", "new"):
        dispatch.submit(name)
    dispatch.runs["due"].back_off(due=5.0)
    dispatch.runs["left"].leave_to_another()
    with claim(store.folder("left")):
        dispatch.advance(0)
        assert {name: run.phase for name, run in dispatch.runs.items()} == {
            "due": Phase.BACKOFF,
            "left": Phase.ELSEWHERE,
            "new": Phase.QUEUED,
        }
    clock.now = 5.0
    dispatch.advance(0)
    assert all(run.phase is Phase.QUEUED for run in dispatch.runs.values())
    assert sorted(dispatch.runs, key=lambda name: dispatch.runs[name].place) == ["due", "new", "left"]


def test_a_start_forgets_the_attempt_before() -> None:
    run = RunInFlight("run", None, heard=1.0, shown=7, hung=True)
    run.start(now=9.0)
    assert (run.phase, run.heard, run.shown, run.hung) == (Phase.RUNNING, 9.0, 0, False)


def test_tries_are_counted_from_the_last_progress() -> None:
    run = RunInFlight("run", None)
    assert [run.count_try(epoch) for epoch in (2, 2, 2, 3, 3, 4)] == [1, 2, 3, 1, 2, 1]


def test_a_streak_counts_different_runs_that_failed_alike() -> None:
    streak = FailureStreak()
    assert [streak.add(*failure) for failure in (("a", "x"), ("a", "x"), ("b", "x"), ("c", "y"), ("d", "y"))] == [
        1,
        1,
        2,
        1,
        2,
    ]
    streak.end()
    assert streak.add("e", "y") == 1
