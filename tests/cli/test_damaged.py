"""A record that cannot be read is a state of its run, for every command; a plan, a line; a stray file, nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from reid.store.plan import FactorRecord, read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore, stop_early
from tests.helpers.command import run_main
from tests.helpers.grids_on_disk import write_grid

Reid = Callable[..., tuple[str, str]]
FACTORS = (FactorRecord(name="warmup", levels=("off", "on")), FactorRecord(name="bnneck", levels=("off", "on")))
DAMAGE = {
    "another": '{"state": 7, "signature": 7}',
    "cut": '{"state": "fini',
    "another type": "[7]",
    "no text": "\0\0\0\0",
    "deep": "[" * 5000,
}
RECORDS = ("run.json", "state.json", "result.json", "evaluations.json")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two grids of four finished runs, that share them."""
    for name in ("one", "two"):
        write_grid(tmp_path, name=name, factors=FACTORS, effects=(0.1, 0.2), iterations=0)
    return tmp_path


@pytest.fixture
def reid(output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reid:
    """A function that runs a command on the output folder; what it printed, and what it said of errors."""

    def call(*words: str, code: int = 0) -> tuple[str, str]:
        return run_main(monkeypatch, capsys, [words[0], "--output", str(output), *words[1:]], code)

    return call


def last_run(output: Path) -> RunFolder:
    """The run of arm 11."""
    grid = read_plan(output / "grids" / "one")
    return grid.run(grid.plan.runs_of("11")[0].signature)


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_a_state_of_its_run(output: Path, reid: Reid, record: str, damage: str) -> None:
    folder = last_run(output)
    (folder.path / record).write_text(DAMAGE[damage])
    document = json.loads(reid("status", "one", "--json")[0])
    assert document["counts"] == {"finished": 3, "unreadable": 1}
    (reason,) = [run["reason"] for run in document["runs"] if run["state"] == "unreadable"]
    assert reason.startswith(f"unreadable: {record}: ")
    assert "unreadable" in reid("status", "one")[0]
    assert "0 failed runs" in reid("retry", "one")[0]
    assert str(folder.path) in reid("forget", folder.signature)[0]


def test_a_report_counts_it(output: Path, reid: Reid) -> None:
    folder = last_run(output)
    (folder.path / "state.json").write_text("{")
    reid("report", "one", "--format", "csv", "--out", str(output / "report"))
    table = pd.read_csv(output / "report" / "tables" / "runs.csv", dtype=str)
    assert table["state"].tolist().count("unreadable") == 1


def test_no_launch_touches_it(output: Path) -> None:
    store, folder = RunStore(output), last_run(output)
    (folder.path / "state.json").write_text("{")
    assert store.is_settled(folder.signature)
    assert store.settle(folder.signature) == RunState.UNREADABLE
    stop_early(folder, "worse than the others")
    asked = store.folder(store.folders()[0].signature).require_run()
    store.enter(asked.model_copy(update={"signature": folder.signature, "shares": "f" * 16}))
    assert (folder.path / "state.json").read_text() == "{"


@pytest.mark.parametrize("content", ["{", ""])
def test_a_damaged_plan_is_a_line(output: Path, reid: Reid, content: str) -> None:
    (output / "grids" / "two" / "plan.json").write_text(content)
    text, note = reid("status")
    assert "one" in text
    assert "two" not in text
    assert note.count("\n") == 1
    assert "two/plan.json: must be JSON" in note
    assert "two/plan.json: must be JSON" in reid("status", "two", code=2)[1]


def test_stray_files_harm_nothing(output: Path, reid: Reid) -> None:
    for place in (output, output / "runs", output / "grids", output / "studies", last_run(output).path):
        place.mkdir(exist_ok=True)
        for name in (".DS_Store", "Thumbs.db", ".plan.json.0123456789abcdef.tmp", "notes.txt"):
            (place / name).write_bytes(b"\0")
    (output / "grids" / "empty").mkdir()
    document = json.loads(reid("status", "--json")[0])
    assert [grid["counts"] for grid in document["grids"]] == [{"finished": 4}, {"finished": 4}]
    assert "must begin exactly one signature" in reid("logs", ".DS", code=2)[1]
    assert "must begin exactly one signature" in reid("forget", "notes", code=2)[1]


@pytest.mark.parametrize("name", [".", "..", "-x", "x" * 300, "a/../../b", "\udcff"])
def test_a_name_that_nothing_has_is_one_line(reid: Reid, name: str) -> None:
    for command in ("status", "stop", "report", "logs", "forget"):
        assert reid(command, "--", name, code=2)[1].count("\n") == 1, command
