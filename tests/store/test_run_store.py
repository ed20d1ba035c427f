import json
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.files import atomic, write_json
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_store import Ledger, release, set_state, settle_all


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return Ledger.create(tmp_path).enter({"signature": "abc", "seed": 0})


def test_a_folder_is_entered_once(tmp_path: Path, folder: RunFolder) -> None:
    assert folder.state() == "planned"
    assert Ledger(tmp_path).enter({"signature": "abc", "seed": 9}).read("run")["seed"] == 0


def test_what_a_power_failure_emptied_is_entered_again(tmp_path: Path, folder: RunFolder) -> None:
    (folder.path / "run.json").write_text("")
    assert Ledger(tmp_path).enter({"signature": "abc", "seed": 9}).read("run")["seed"] == 9


def test_settling_marks_what_nobody_holds(tmp_path: Path, folder: RunFolder) -> None:
    set_state(folder, state="running", epoch=3)
    with claim(folder):
        assert Ledger(tmp_path).settle("abc") == "running"
    settle_all(tmp_path)
    assert folder.read("state")["state"] == "stopped"
    assert folder.read("state")["epoch"] == 3
    set_state(folder, state="finished")
    assert Ledger(tmp_path).settle("abc") == "finished"


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ({"state": "finished"}, True),
        ({"state": "diverged"}, True),
        ({"state": "failed", "held": True}, True),
        ({"state": "failed", "held": False}, False),
        ({"state": "stopped", "censored": True}, True),
        ({"state": "stopped"}, False),
        ({"state": "running"}, False),
    ],
)
def test_what_no_launch_trains_again(
    tmp_path: Path, folder: RunFolder, state: dict[str, str | bool], over: bool
) -> None:
    set_state(folder, **state)  # type: ignore[arg-type]
    assert Ledger(tmp_path).is_over("abc") is over


def test_only_failed_runs_that_nobody_holds_are_released(tmp_path: Path, folder: RunFolder) -> None:
    assert not release(folder)
    set_state(folder, state="failed", held=True, trace="a", hung=3)
    with claim(folder):
        assert not release(folder)
    assert release(folder)
    assert not Ledger(tmp_path).is_over("abc")
    state = folder.read("state")
    assert (state["trace"], state["hung"]) == (None, None)


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: the output folder must be writable"):
        Ledger.create(tmp_path / "file")


@pytest.mark.parametrize("durable", [True, False])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, durable: bool) -> None:
    write_json(tmp_path / "a.json", {"a": 1}, durable)
    with pytest.raises(RuntimeError), atomic(tmp_path / "a.json", durable) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
