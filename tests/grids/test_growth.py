"""A grid that grows: what is looked at and when, what is on disk at any moment, and who looks where several launch."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from reid.errors import InputError
from reid.execution.dispatch import Dispatch
from reid.execution.events import Ended, ExecutorEvent
from reid.files import write_record
from reid.grids.launch import Launched, launch, prepare
from reid.grids.orchestrator import Orchestrator
from reid.grids.status import GridStatus, open_status
from reid.store.claim import claim
from reid.store.looks import LooksRecord, read_looks
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore, set_state
from reid.store.tracker import NoTracker
from tests.helpers.fake_executor import FolderExecutor, Script, fail
from tests.helpers.grids import TOY
from tests.helpers.quiet_view import Silent
from tests.helpers.run_on_disk import draw_result

BATCH = 8  # runs: three factors have no smaller fraction
NOISY, QUIET = 0.05, 0.0005
UNTIL = "design: {{until: decided, matters: {matters}, at_most: {at_most}}}\n"


def write_grid(folder: Path, root: Path, matters: float = 0.1, at_most: int = 4 * BATCH, more: str = "") -> Path:
    """The toy grid, grown until it is decided; with a noisy training and 0.1 points it never is."""
    file = folder / "toy.yaml"
    file.write_text(TOY.format(epochs=1, root=root) + UNTIL.format(matters=matters, at_most=at_most) + more)
    return file


def finish_with(noise: float, diverges: int = 0) -> Script:
    """Runs whose mAP random erasing lifts by ten points; every `diverges`th diverges."""

    def script(folder: RunFolder) -> ExecutorEvent:
        asked, random = folder.require_run(), np.random.default_rng(int(folder.signature, 16))
        recipe = asked.recipe.load()
        with claim(folder) as mine:
            assert mine
            if diverges and int(folder.signature, 16) % diverges == 0:
                set_state(folder, state=RunState.DIVERGED, reason="loss is NaN", epoch=1, seconds=1.0)
                return Ended(folder.signature, RunState.DIVERGED)
            mAP = 0.4 + 0.1 * (recipe.erasing.probability > 0) + random.normal(0, noise)
            write_record(folder.path / "result.json", draw_result(recipe, float(mAP), 60.0, random))
            set_state(folder, state=RunState.FINISHED, epoch=1, seconds=60.0)
        return Ended(folder.signature, RunState.FINISHED)

    return script


class Noting(FolderExecutor):
    """Notes what looks.json and plan.json hold whenever a run is started, and stops the launch after `most` runs."""

    def __init__(self, grid: Path, most: int = 1000, noise: float = NOISY) -> None:
        super().__init__(slots=2, others=finish_with(noise))
        self.grid, self.most = grid, most
        self.noted: list[tuple[int, int, int]] = []

    def submit(self, run: Path, until: int | None) -> None:
        plan = read_plan(self.grid).plan
        place = [one.signature for one in plan.runs].index(run.name)
        self.noted.append((place // BATCH, len(read_looks(self.grid)), len(plan.runs)))
        if len(self.started) == self.most:
            raise KeyboardInterrupt
        super().submit(run, until)


def prepared(file: Path, output: Path) -> Launched:
    return prepare(file, output, {}, False, "reid ablate toy.yaml", Silent())


def train(file: Path, output: Path, noise: float = NOISY, most: int = 1000) -> tuple[GridStatus, Noting]:
    launched = prepared(file, output)
    executor = Noting(launched.folder, most, noise)
    return launch(launched, executor, NoTracker(), Silent()), executor


def looks_of(output: Path) -> bytes:
    return (output / "grids" / "toy" / "looks.json").read_bytes()


def test_each_look_is_on_disk_before_its_batch_and_the_last_one_says_why(tiny_root: Path, tmp_path: Path) -> None:
    status, executor = train(write_grid(tmp_path, tiny_root), tmp_path)
    looks = read_looks(tmp_path / "grids" / "toy")
    assert [(look.look, look.batches, look.runs) for look in looks] == [(1, 2, 16), (2, 3, 24), (3, 4, 32)]
    assert [look.stop for look in looks] == ["", "", "at_most"]
    expected = [(batch, max(0, batch - 1), BATCH * max(2, batch + 1)) for batch in range(4) for _ in range(BATCH)]
    assert executor.noted == expected
    assert status.looks == looks
    assert status.is_over()
    assert not status.is_growing()
    plan = read_plan(tmp_path / "grids" / "toy").plan
    assert plan.seeds == (0, 1, 2, 3)
    assert (plan.design, plan.matters) == ("until", 0.1)
    assert plan.until is not None
    assert (plan.until.at_most, plan.until.batch, plan.until.half_width) == (32, 8, None)


def test_what_is_clear_at_the_first_look_costs_no_more(tiny_root: Path, tmp_path: Path) -> None:
    status, executor = train(write_grid(tmp_path, tiny_root, matters=5, at_most=100), tmp_path, QUIET)
    (look,) = status.looks
    assert (look.stop, len(executor.started)) == ("decided", 16)
    assert {name: factor.kind for name, factor in look.factors.items()} == {
        "random_erasing": "helps", "bnneck": "no_effect", "center_loss": "no_effect"
    }  # fmt: skip
    assert abs(look.factors["random_erasing"].effect - 0.1) < 0.002
    assert read_plan(tmp_path / "grids" / "toy").plan.until.at_most == 96, "whole batches"  # type: ignore[union-attr]
    assert (status.full, status.full - len(status.runs)) == (24, 8)
    assert status.seconds_of(8) == 480


def test_a_width_that_is_asked_for_is_reached(tiny_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text(TOY.format(epochs=1, root=tiny_root) + "design: {until: {half_width: 2}, at_most: 80}\n")
    status, _ = train(file, tmp_path, QUIET)
    assert status.looks[-1].stop == "narrow"
    assert all((factor.high - factor.low) / 2 <= 0.02 for factor in status.looks[-1].factors.values())


@pytest.mark.slow
def test_a_launch_that_was_ended_anywhere_takes_the_same_looks(tiny_root: Path, tmp_path: Path) -> None:
    """In the midst of a batch; with a batch over and no look; with a look that no plan follows yet."""
    file = write_grid(tmp_path, tiny_root)
    whole = tmp_path / "whole"
    train(file, whole)
    folder = tmp_path / "ended" / "grids" / "toy"
    for most in (5, 16, 20, 24, 31):
        shutil.rmtree(tmp_path / "ended", ignore_errors=True)
        with pytest.raises(KeyboardInterrupt):
            train(file, tmp_path / "ended", most=most)
        train(file, tmp_path / "ended")
        assert looks_of(tmp_path / "ended") == looks_of(whole), most
    looks, plan = read_looks(folder), read_plan(folder).plan
    for kept in range(3):
        for lag in (0, 1) if kept else (0,):
            write_record(folder / "looks.json", LooksRecord(looks=looks[:kept]))
            runs = plan.runs[: (2 + kept - lag) * BATCH]
            write_record(folder / "plan.json", plan.model_copy(update={"runs": runs}))
            _, executor = train(file, tmp_path / "ended")
            assert executor.started == [], "every run has its result"
            assert looks_of(tmp_path / "ended") == looks_of(whole), (kept, lag)
            assert read_plan(folder).plan.runs == plan.runs


def test_two_launches_at_once_take_one_sequence_of_looks(tiny_root: Path, tmp_path: Path) -> None:
    file = write_grid(tmp_path, tiny_root)
    train(file, tmp_path / "alone")
    output = tmp_path / "both"
    both = []
    for _ in range(2):
        launched = prepared(file, output)
        executor = FolderExecutor(2, others=finish_with(NOISY))
        status = open_status(launched.plan, launched.run_store, 2)
        dispatch = Dispatch(launched.run_store, executor, clock=iter(range(100_000)).__next__)
        both.append(Orchestrator(launched.plan, status, dispatch, print, lambda *_: None, growth=launched.growth))
    going = both
    while going:
        for one in going:
            one._advance()
        going = [one for one in going if not one._is_over()]
    assert looks_of(output) == looks_of(tmp_path / "alone")
    started = [signature for one in both for signature in one.dispatch.executor.started]  # type: ignore[attr-defined]
    assert sorted(started) == sorted(set(started)), "no run was trained twice"
    assert [one.status.looks for one in both] == [read_looks(output / "grids" / "toy")] * 2
    assert [one.status.counts() for one in both] == [{"finished": 32}] * 2


def test_who_comes_while_another_looks_waits_and_takes_over_what_it_wrote(tiny_root: Path, tmp_path: Path) -> None:
    file = write_grid(tmp_path, tiny_root)
    launched = prepared(file, tmp_path)
    growth = launched.growth
    assert growth is not None
    train(file, tmp_path)
    looks = read_looks(launched.folder)
    (launched.folder / "looks.json").unlink()
    with claim(RunFolder(launched.folder)) as mine:
        assert mine
        assert growth.goes_on()
        assert growth.looks == ()
        write_record(launched.folder / "looks.json", LooksRecord(looks=looks[:2]))
    assert growth.goes_on()
    assert growth.looks == looks[:2], "no look is taken for which there is one"
    assert len(growth.plan.runs) == 32
    assert not growth.goes_on()
    assert read_looks(launched.folder) == looks


def test_diverged_and_failed_runs_are_counted_apart(tiny_root: Path, tmp_path: Path) -> None:
    launched = prepared(write_grid(tmp_path, tiny_root, at_most=16), tmp_path)
    executor = FolderExecutor(2, others=finish_with(NOISY, diverges=5))
    lost = [run.signature for run in launched.plan.runs if int(run.signature, 16) % 5]
    executor.scripts = {lost[0]: [fail("a"), fail("a")]}
    status = launch(launched, executor, NoTracker(), Silent())
    (look,) = status.looks
    assert look.failed == 1
    assert look.diverged == 16 - len(lost) > 0
    assert look.runs == len(lost) - 1


def test_there_is_no_look_while_a_run_may_be_tried_again(tiny_root: Path, tmp_path: Path) -> None:
    file = write_grid(tmp_path, tiny_root)
    launched = prepared(file, tmp_path)
    executor = FolderExecutor(2, others=finish_with(NOISY))
    first = launched.plan.runs[0].signature
    executor.scripts = {first: [fail(str(number)) for number in range(30)]}
    status = launch(launched, executor, NoTracker(), Silent())
    assert status.counts() == {"finished": 15, "failed": 1}
    assert not RunStore(tmp_path).is_settled(first)
    assert status.looks == ()
    assert status.is_over(), "in this launch"
    status, _ = train(file, tmp_path)
    assert [look.runs for look in status.looks] == [16, 24, 32]


@pytest.mark.parametrize(
    ("matters", "at_most", "more", "changed"),
    [
        (0.2, 32, "", "matters"),
        (0.1, 40, "", "design"),
        (0.1, 32, "title: Another\nmatters: 0.1\n", ""),
    ],
)
def test_what_is_asked_does_not_change_once_it_was_looked_at(
    tiny_root: Path, tmp_path: Path, matters: float, at_most: int, more: str, changed: str
) -> None:
    launched = prepared(write_grid(tmp_path, tiny_root, matters=3, at_most=64), tmp_path)
    assert launched.growth is not None
    train(write_grid(tmp_path, tiny_root), tmp_path)  # nothing was looked at before
    before = (launched.folder / "plan.json").read_bytes()
    file = write_grid(tmp_path, tiny_root, matters, at_most)
    file.write_text(file.read_text().replace("title: Three tricks on a toy\n", more or "title: Three\n"))
    if not changed:
        assert prepared(file, tmp_path).plan.title == "Another"
        return
    with pytest.raises(InputError, match=rf"toy/looks\.json: 3 looks were taken and `{changed}` is another since;"):
        prepared(file, tmp_path)
    assert (launched.folder / "plan.json").read_bytes() == before


@pytest.mark.parametrize(
    ("what", "by", "changed"),
    [
        ("seeds: [0]", "seeds: [1]", "seeds"),
        ("epochs: 1", "epochs: 2", "recipe or dataset"),
        (", center_loss: ", ", center_loss: , last_stride: ", "factors"),
        ("design: {until: decided, matters: 0.1, at_most: 32}", "design: full", "design"),
    ],
)
def test_nor_do_its_runs(tiny_root: Path, tmp_path: Path, what: str, by: str, changed: str) -> None:
    file = write_grid(tmp_path, tiny_root)
    train(file, tmp_path)
    assert what in file.read_text()
    file.write_text(file.read_text().replace(what, by))
    with pytest.raises(InputError, match=rf"`{changed}` is another since.*give the grid another name"):
        prepared(file, tmp_path)
    (tmp_path / "grids" / "toy" / "plan.json").unlink()
    with pytest.raises(InputError, match="has looks at a plan that is gone; remove it to begin anew"):
        prepared(file, tmp_path)


def test_who_only_watches_sees_it_grow(tiny_root: Path, tmp_path: Path) -> None:
    file = write_grid(tmp_path, tiny_root)
    launched = prepared(file, tmp_path)
    board = open_status(launched.plan, launched.run_store, 1)
    assert (len(board.runs), board.looks, board.is_growing()) == (16, (), True)
    train(file, tmp_path)
    board.refresh(launched.run_store)
    assert len(board.looks) == 3
    assert board.counts() == {"finished": 32}
    assert board.is_over()
    assert open_status(read_plan(launched.folder).plan, launched.run_store, 1).looks == board.looks


def test_looks_are_json_whatever_is_in_them(tmp_path: Path) -> None:
    factor = {"effect": "nan", "low": "-inf", "high": "inf", "kind": "not_estimable"}
    look = {"look": 1, "batches": 2, "runs": 0, "critical": "inf", "factors": {"a": factor}, "stop": ""}
    write_record(tmp_path / "looks.json", LooksRecord.model_validate({"looks": [look]}))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    (written,) = json.loads((tmp_path / "looks.json").read_text(), parse_constant=refuse)["looks"]
    assert written["factors"]["a"] == factor
    (read,) = read_looks(tmp_path)
    assert read.factors["a"].low == float("-inf")
