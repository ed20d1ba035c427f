"""`reid status | stop | retry | forget | logs` on folders as launches leave them."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reid.cli.app import main
from reid.files import write_json
from reid.store.claim import claim
from reid.store.run_records import ProgressRecord, RunState
from reid.store.run_store import RunStore, set_state
from tests.helpers.records import asked, evaluation, scored

Reid = Callable[..., str]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A grid of four runs: finished, failed and held, stopped, planned."""
    run_store = RunStore.create(tmp_path)
    names = ["aaaa", "aabb", "bbbb", "cccc"]
    grid = tmp_path / "grids" / "small"
    grid.mkdir(parents=True)
    recipe = {"schedule": {"epochs": 9}}
    arms = [{"arm": f"{number:02b}", "levels": {}, "recipe": recipe} for number in range(4)]
    runs = [{"signature": name, "arm": arm["arm"], "seed": 0} for name, arm in zip(names, arms, strict=True)]
    write_json(grid / "plan.json", {"name": "small", "factors": [], "seeds": [0], "arms": arms, "runs": runs})
    for name in names:
        run_store.enter(asked(name))
    set_state(run_store.folder("aaaa"), state=RunState.FINISHED, epoch=9, seconds=60.0)
    run_store.folder("aaaa").write_evaluations([evaluation(9, 0.5)])
    set_state(
        run_store.folder("aabb"),
        state=RunState.FAILED,
        epoch=2,
        quarantined=True,
        trace="x",
        reason="ValueError: no\nmore",
    )
    set_state(run_store.folder("bbbb"), state=RunState.STOPPED, epoch=3)
    run_store.folder("aabb").log.write_text("attempt 1 on cpu\n")
    return tmp_path


@pytest.fixture
def reid(output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reid:
    def call(*words: str, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["reid", *words, "--output", str(output)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert ended.value.code == code, captured.err
        return captured.err if code else captured.out

    return call


def test_status_of_a_grid(reid: Reid, output: Path) -> None:
    folder = RunStore(output).folder("cccc")
    set_state(folder, state=RunState.RUNNING, host="lab", pid=77, slot="1 GPU 3")
    folder.write_progress(ProgressRecord(epoch=4, scores=scored(0.25), images_per_second=812.4, eta=3700.0))
    with claim(folder):
        text = reid("status", "small")
        document = json.loads(reid("status", "small", "--json"))
    lines = {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line.strip()}
    assert lines["00"] == "00 0 finished 9/9 50.0 aaaa"
    assert lines["01"] == "01 0 failed 2/9 aabb quarantined: ValueError: no"
    assert lines["10"] == "10 0 stopped 3/9 bbbb"
    assert lines["11"] == "11 0 running 4/9 25.0 812 1:01:40 lab 1 GPU 3 cccc"
    assert text.splitlines()[-1] == "1 finished, 1 failed, 1 stopped, 1 running; ETA 0:01:00"
    assert document["grid"] == "small"
    assert document["counts"] == {"finished": 1, "failed": 1, "stopped": 1, "running": 1}
    assert document["eta_seconds"] == 60.0
    assert [(run["signature"], run["pid"]) for run in document["runs"]][-1] == ("cccc", 77)


def test_status_of_all_grids(reid: Reid) -> None:
    assert "small" in reid("status")
    (grid,) = json.loads(reid("status", "--json"))["grids"]
    assert grid["counts"] == {"finished": 1, "failed": 1, "stopped": 1, "planned": 1}
    assert "runs" not in grid
    assert "status --watch: watches one grid; name it" in reid("status", "--watch", code=2)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_watching_ends_with_the_grid(
    reid: Reid, output: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_store, looked = RunStore(output), []

    def sleep(_: float) -> None:
        looked.append(1)
        for name in (["bbbb"], ["cccc"])[len(looked) - 1]:
            set_state(run_store.folder(name), state=RunState.FINISHED, epoch=9)

    monkeypatch.setattr("time.sleep", sleep)
    lines = reid("status", "small", "--watch", *words).splitlines()
    if words:
        events = [json.loads(line) for line in lines]
        assert [event["event"] for event in events] == ["run", "run", "end"]
        assert events[0] | {"signature": "bbbb", "state": "finished", "over": 2, "runs": 4} == events[0]
        assert events[-1]["counts"] == {"finished": 3, "failed": 1}
    else:
        assert lines[0].startswith("[2/4] 10 s0  finished")
        assert lines[2] == "grid small: 3 finished, 1 failed"


def test_retry_releases_what_failed(reid: Reid, output: Path) -> None:
    assert reid("retry", "small") == "1 failed runs of small released; launch the grid again to train them\n"
    assert not RunStore(output).is_settled("aabb")
    assert RunStore(output).is_settled("aaaa")


def test_stop_asks_in_the_folder(reid: Reid, output: Path) -> None:
    assert "asked to stop after the epoch in flight" in reid("stop", "small")
    assert (output / "grids" / "small" / "stop").exists()
    assert "'nope': must be a grid or a study in" in reid("stop", "nope", code=2)


def test_forget_removes_a_run_that_nobody_trains(reid: Reid, output: Path) -> None:
    folder = RunStore(output).folder("aabb")
    with claim(folder):
        assert f"run aabb: is trained by {os.uname().nodename}, process {os.getpid()}; `reid stop`" in reid(
            "forget", "aabb", code=2
        )
    assert reid("forget", "aabb") == f"{folder.path}: removed\n"
    assert not folder.path.exists()
    assert "must begin exactly one signature" in reid("forget", "aabb", code=2)


def test_forget_of_a_store_that_is_down_says_what_is_left(reid: Reid, output: Path) -> None:
    folder = RunStore(output).folder("bbbb")
    folder.write_projections({"http://127.0.0.1:9|small": "0123abcd"})
    text = reid("forget", "bbbb")
    assert "tracking store http://127.0.0.1:9: " in text
    assert "delete there by hand: 0123abcd" in text
    assert not folder.path.exists()


def test_logs(reid: Reid, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reid("logs", "aab") == "attempt 1 on cpu\n"
    assert "run cccc: has no log yet, nobody has begun to train it" in reid("logs", "cccc", code=2)
    folder = RunStore(output).folder("aabb")
    with claim(folder) as mine:
        assert mine is not None

        def sleep(_: float) -> None:
            if folder.log.read_text().count("more") == 0:
                with folder.log.open("a") as log:
                    log.write("more\n")
            mine.release()

        monkeypatch.setattr("time.sleep", sleep)
        assert reid("logs", "aabb", "--follow") == "attempt 1 on cpu\nmore\n"
