"""`reid doctor`: what is damaged is listed, mended or set aside, and nothing that was whole is touched."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from reid.cli.app import main
from reid.doctor.environment import parts
from reid.store.claim import claim
from reid.store.plan import FactorRecord, read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore
from tests.helpers.grids_on_disk import write_grid
from tests.helpers.studies_on_disk import write_study

FACTORS = (FactorRecord(name="warmup", levels=("off", "on")),)
OUTCOMES = {("1", 0): "stopped"}
Doctor = Callable[..., list[str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run and a stopped one of a grid, and a study."""
    output = tmp_path_factory.mktemp("whole")
    write_grid(output, name="small", factors=FACTORS, effects=(0.1,), outcomes=OUTCOMES, iterations=60)
    write_study(output, name="knobs")
    for folder in RunStore(output).folders():
        folder.log.write_text("2026-01-01 00:00:00 attempt 1 on cpu\n2026-01-01 00:00:01 finished\n", encoding="utf-8")
    run(output, "1").log.write_text("2026-01-01 00:00:00 attempt 1 on cpu\n", encoding="utf-8")
    return output


@pytest.fixture
def output(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "output"))


@pytest.fixture
def doctor(output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """A function that runs the command on the output folder and gives the lines it printed."""

    def call(*words: str, code: int) -> list[str]:
        monkeypatch.setattr("sys.argv", ["reid", "doctor", str(output), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert ended.value.code == code, captured
        return captured.out.splitlines()

    return call


def run(output: Path, arm: str) -> RunFolder:
    grid = read_plan(output / "grids" / "small")
    return grid.run(grid.plan.runs_of(arm)[0].signature)


def contents(folder: Path) -> set[str]:
    """A digest of every file, claims apart, which doctors leave behind as anyone who looks after a run does."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("claim."))
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_whole_folder_is_said_to_be(output: Path, doctor: Doctor) -> None:
    before = contents(output)
    assert doctor(code=0) == [f"{output}: 0 damaged"]
    assert doctor("--repair", code=0) == [f"{output}: 0 damaged, 0 repaired"]
    assert contents(output) == before


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        ("1/state.json", "sets it aside as state.json.damaged"),
        ("1/run.json", "sets it aside as run.json.damaged"),
        ("1/curves.parquet", "sets it aside as curves.parquet.damaged"),
        ("0/evaluations.json", "sets it aside as evaluations.json.damaged"),
        ("0/mlflow.json", "sets it aside"),
        ("0/ranklists.json", "sets it aside"),
        ("0/query_ap.npy", "sets it aside"),
        ("0/embeddings.npz", "sets it aside"),
        ("0/model.pt", "sets it aside"),
        ("0/state.json", "writes it anew from the rest of the folder: finished"),
        ("0/run.json", "sets the folder aside under set-aside"),
        ("0/result.json", "sets the folder aside under set-aside"),
        ("grids/small/plan.json", "`reid ablate` with its file makes it anew"),
        ("grids/small/looks.json", "`reid ablate` with its file takes the same looks again"),
        ("studies/knobs/study.json", "`reid tune` with its file makes it anew"),
        ("studies/knobs/trials.json", "`reid tune --status` makes it anew"),
        ("studies/knobs/study.db", "the runs stay"),
        ("mlflow.db", "`reid sync` makes it anew"),
    ],
)
def test_what_is_damaged_is_listed_then_mended_and_nothing_is_lost(
    output: Path, doctor: Doctor, file: str, remedy: str
) -> None:
    path = run(output, file[0]).path / file[2:] if file[1] == "/" else output / file
    path.write_text('{"state": "fini')
    before = contents(output)
    told = doctor(code=1)
    assert told[0].startswith(f"{path}: must be" if "folder aside" not in remedy else f"{path.parent}: {path.name}: ")
    assert remedy in told[1]
    assert contents(output) == before, "nothing was asked to be changed"
    assert remedy in doctor("--repair", code=0)[1]
    assert contents(output) >= before, "all that was there still is"
    assert doctor(code=0) == [f"{output}: 0 damaged"]


def test_a_state_is_written_as_the_folder_knows_it(output: Path, doctor: Doctor) -> None:
    folder = run(output, "0")
    before = folder.read_state()
    (folder.path / "state.json").write_text("{")
    doctor("--repair", code=0)
    after = folder.read_state()
    assert (after.state, after.epoch, after.epochs) == (before.state, before.epoch, before.epochs)
    folder.log.unlink()
    (folder.path / "state.json").write_text("{")
    with ZipFile(folder.model, "w"):
        pass
    doctor("--repair", code=0)
    assert folder.read_state().state == RunState.FINISHED


def test_a_run_that_is_trained_is_left_to_who_trains_it(output: Path, doctor: Doctor) -> None:
    folder = run(output, "1")
    (folder.path / "state.json").write_text("{")
    with claim(folder):
        assert doctor("--repair", code=0) == [f"{output}: 0 damaged, 0 repaired"]
    assert len(doctor("--repair", code=0)) == 3


def test_temporary_files_of_the_dead_are_removed(output: Path, doctor: Doctor) -> None:
    old, new = (run(output, "1").path / f".checkpoint.pt.{digit * 16}.tmp" for digit in "ab")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    assert "left half-written" in doctor(code=1)[0]
    doctor("--repair", code=0)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["reid", "doctor", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "must be an output folder, found none there" in capsys.readouterr().err


def test_this_machine_has_what_it_needs(tmp_path: Path) -> None:
    found = {part.name: part for part in parts(tmp_path / "not" / "yet")}
    assert {"reid", "python", "torch", "MLflow", "typst", "disk"} < set(found)
    assert "GB free" in found["disk"].found
    assert found["typst"].problem == found["MLflow"].problem == ""


def test_what_does_not_work_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reid.report.style.FONTS", tmp_path)
    found = {part.name: part for part in parts(tmp_path)}
    assert found["typst"].problem.startswith("does not work: ")
