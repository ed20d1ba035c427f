import json
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.files import atomic, write_json
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore, release, set_state, settle_all
from tests.helpers.records import asked, raw, write_raw


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunStore.create(tmp_path).enter(asked("abc"))


def test_a_folder_is_entered_once(tmp_path: Path, folder: RunFolder) -> None:
    assert folder.read_state().state == "planned"
    assert raw(RunStore(tmp_path).enter(asked("abc", seed=9)), "run")["seed"] == 0


def test_what_a_power_failure_emptied_is_entered_again(tmp_path: Path, folder: RunFolder) -> None:
    (folder.path / "run.json").write_text("")
    assert raw(RunStore(tmp_path).enter(asked("abc", seed=9)), "run")["seed"] == 9


def test_settling_marks_what_nobody_holds(tmp_path: Path, folder: RunFolder) -> None:
    set_state(folder, state=RunState.RUNNING, epoch=3)
    with claim(folder):
        assert RunStore(tmp_path).settle("abc") == "running"
    settle_all(tmp_path)
    assert raw(folder, "state")["state"] == "stopped"
    assert raw(folder, "state")["epoch"] == 3
    set_state(folder, state=RunState.FINISHED)
    assert RunStore(tmp_path).settle("abc") == "finished"


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ({"state": "finished"}, True),
        ({"state": "diverged"}, True),
        ({"state": "failed", "quarantined": True}, True),
        ({"state": "failed", "quarantined": False}, False),
        ({"state": "stopped", "early_stopped": True}, True),
        ({"state": "stopped"}, False),
        ({"state": "running"}, False),
    ],
)
def test_what_no_launch_trains_again(
    tmp_path: Path, folder: RunFolder, state: dict[str, str | bool], over: bool
) -> None:
    write_raw(folder, "state", state)
    assert RunStore(tmp_path).is_settled("abc") is over


def test_only_failed_runs_that_nobody_holds_are_released(tmp_path: Path, folder: RunFolder) -> None:
    assert not release(folder)
    set_state(folder, state=RunState.FAILED, quarantined=True, trace="a", hung=3)
    with claim(folder):
        assert not release(folder)
    assert release(folder)
    assert not RunStore(tmp_path).is_settled("abc")
    state = raw(folder, "state")
    assert (state["trace"], state["hung"]) == (None, None)


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: the output folder must be writable"):
        RunStore.create(tmp_path / "file")


@pytest.mark.parametrize("durable", [True, False])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, durable: bool) -> None:
    write_json(tmp_path / "a.json", {"a": 1}, durable)
    with pytest.raises(RuntimeError), atomic(tmp_path / "a.json", durable) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
