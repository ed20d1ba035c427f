"""Several processes on one study: exactly so many trials, whatever the storage, and whoever dies."""

import json
import multiprocessing
from pathlib import Path

import optuna
import pytest

from reid.store.study import TrialState
from reid.studies.liveness import BEAT_SECONDS, LEASE_SECONDS, WATCH_SECONDS, WorkerHeartbeat
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan
from reid.studies.trials import TrialOutcome, Trials, records_of
from tests.studies.synthetic import KILLED_AFTER, search, work, write_study

pytestmark = pytest.mark.slow

TRIALS = 16
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.studies.synthetic"])


def run_together(file: Path, output: Path, storage: str, dying: int = 0, workers: int = 4) -> list[int | None]:
    """Exit codes of so many processes that search at once: those that die, then, so that they get to it, the others."""
    started = [
        SERVER.Process(target=work, args=(file, output, storage, number < dying)) for number in range(workers)
    ]  # fmt: skip
    for together in (started[:dying], started[dying:]):
        for process in together:
            process.start()
        for process in together:
            process.join(400)
    codes = [process.exitcode for process in started]
    for process in started:
        process.close()
    return codes


def trials_of(output: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((output / "studies" / "toy" / "trials.json").read_text())
    return found


def require_whole(output: Path, trials: int = TRIALS) -> None:
    """Every number once, each trial over, with the values of its own run, and no run trained for nothing."""
    records = trials_of(output)
    assert [record["number"] for record in records] == list(range(trials))
    assert {record["state"] for record in records} == {"complete"}
    signatures = [run["signature"] for record in records for run in record["runs"]]  # type: ignore[attr-defined]
    assert len(signatures) == trials
    assert set(signatures) == {path.name for path in (output / "runs").iterdir()}


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_four_processes_end_exactly_so_many_trials(kind: str, tiny_root: Path, tmp_path: Path) -> None:
    assert run_together(write_study(tmp_path, tiny_root, TRIALS), tmp_path, kind) == [0] * 4
    require_whole(tmp_path)


def test_four_processes_on_postgresql(database: str, tiny_root: Path, tmp_path: Path) -> None:
    assert run_together(write_study(tmp_path, tiny_root, TRIALS), tmp_path, database) == [0] * 4
    require_whole(tmp_path)


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_what_the_killed_leave_is_taken_over(kind: str, tiny_root: Path, tmp_path: Path) -> None:
    """Two are killed in the middle of a run; a third ends their trials, with the values they had."""
    codes = run_together(write_study(tmp_path, tiny_root, TRIALS), tmp_path, kind, dying=2, workers=3)
    assert codes == [-9, -9, 0]
    require_whole(tmp_path)


def test_when_all_are_killed_the_next_goes_on(tiny_root: Path, tmp_path: Path) -> None:
    file = write_study(tmp_path, tiny_root, TRIALS)
    assert run_together(file, tmp_path, "sqlite", dying=1, workers=1) == [-9]
    with Storage("sqlite", tmp_path / "studies" / "toy") as storage:
        study = optuna.load_study(study_name="toy", storage=storage.backend)
        left = records_of(study, StudyPlan(file).knobs)
    assert [record.state for record in left] == ["complete"] * 3 + ["running"]
    over, records, trainer = search(file, tmp_path)
    assert over
    require_whole(tmp_path)
    assert [record["params"] for record in records[:4]] == [record.params for record in left]
    assert trainer.epochs == 2 * TRIALS - KILLED_AFTER, "what was trained is not trained again"


def test_a_process_elsewhere_is_dead_when_its_beats_stand_still() -> None:
    now = [0.0]
    study = optuna.create_study()
    other, watcher = WorkerHeartbeat(study, lambda: now[0]), WorkerHeartbeat(study, lambda: now[0])
    other.beat()
    key = f"worker {other.name}"
    study.set_user_attr(key, {**study.user_attrs[key], "machine": "another"})
    assert watcher.is_dead(other.name) is None
    now[0] += LEASE_SECONDS - 1
    assert watcher.is_dead(other.name) is None
    study.set_user_attr(key, {**study.user_attrs[key], "beats": 2})
    assert watcher.is_dead(other.name) is False
    now[0] += LEASE_SECONDS
    assert watcher.is_dead(other.name) is None, "nobody looked, perhaps because nobody could beat"
    for _ in range(2):
        now[0] += WATCH_SECONDS
        found = watcher.is_dead(other.name)
    assert found is True
    assert LEASE_SECONDS > 3 * BEAT_SECONDS
    assert watcher.is_dead(None)
    assert watcher.is_dead("nobody who was ever there")
    assert not watcher.is_dead(watcher.name)


def test_a_trial_that_was_taken_over_is_not_ended_by_its_first_owner(tiny_root: Path, tmp_path: Path) -> None:
    plan = StudyPlan(write_study(tmp_path, tiny_root, TRIALS))
    with Storage("sqlite", tmp_path / "study") as storage:
        slow, quick = Trials(plan, storage, "data"), Trials(plan, storage, "data")
        trial = slow.claim()
        assert trial is not None
        assert quick.heartbeat.is_dead(slow.heartbeat.name) is False
        key = f"worker {slow.heartbeat.name}"
        quick.study.set_user_attr(key, {**quick.study.user_attrs[key], "began": 0})  # as if it had ended
        taken = quick.claim()
        assert taken is not None
        assert (taken.number, taken.params) == (trial.number, trial.params)
        assert not slow.end(trial, TrialOutcome(TrialState.COMPLETE, [0.9]))
        slow.release(trial)
        assert quick.mine(taken)
        assert quick.end(taken, TrialOutcome(TrialState.COMPLETE, [0.5]))
        assert [record.values for record in quick.records()] == [(0.5,)]
