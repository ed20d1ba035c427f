"""What a training's events leave in the run's folder, and where a resumed one goes on from."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from reid.evaluation import rank
from reid.execution.progress import RunProgress
from reid.execution.recorder import RunRecorder, Seconds, load_checkpoint
from reid.recipe import Recipe
from reid.store.claim import Claim, ClaimLostError, claim, take
from reid.store.run_folder import RunFolder
from reid.training import Checkpoint, Diverged, Evaluated, Steps, TrainingState
from tests.helpers.records import raw

EPOCHS = 6


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Claim]:
    with claim(RunFolder(tmp_path)) as taken:
        assert taken is not None
        yield taken


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The recorder's clock: its only element."""
    now = [0.0]
    monkeypatch.setattr("reid.execution.recorder.time.perf_counter", lambda: now[0])
    return now


def recorder(mine: Claim) -> RunRecorder:
    recipe = Recipe().set({"schedule.epochs": EPOCHS, "schedule.milestones": (3,)})
    progress = RunProgress(mine.folder, recipe, "0", lambda *_: None)
    return RunRecorder(mine.folder, EPOCHS, mine, progress, load_checkpoint(mine.folder))


def steps(epoch: int) -> Steps:
    """Two iterations."""
    iterations = [2 * epoch - 1, 2 * epoch]
    return Steps(pd.DataFrame({"iteration": iterations, "epoch": epoch, "total_loss": 1.0 / epoch}))


def checkpoint(epoch: int) -> Checkpoint:
    weights = {"weight": torch.full((2,), float(epoch))}
    return Checkpoint(epoch, TrainingState(epoch, 2 * epoch, weights, weights, {}, torch.zeros(0)))


def evaluated(epoch: int) -> Evaluated:
    return Evaluated(epoch, rank(torch.eye(2), torch.eye(2), [0, 1], [0, 1], [0, 0], [1, 1]))


def epochs_of(curves: pd.DataFrame | None) -> list[int]:
    assert curves is not None
    return [int(epoch) for epoch in curves["epoch"]]


def test_a_checkpoint_keeps_the_one_before_and_the_curves_up_to_it(mine: Claim) -> None:
    folder, recording = mine.folder, recorder(mine)
    for epoch in (1, 2):
        recording.take(steps(epoch))
        recording.take(checkpoint(epoch))
    recording.take(steps(3))
    assert epochs_of(folder.curves()) == [1, 1, 2, 2], "iterations without a checkpoint are not on disk"
    assert epochs_of(recording.curves) == [1, 1, 2, 2, 3, 3]
    assert (folder.read_state().epoch, folder.read_state().epochs) == (2, EPOCHS)
    saved = load_checkpoint(folder)
    assert saved is not None
    assert saved.training.model["weight"].tolist() == [2.0, 2.0]
    assert recording.weights is not None
    assert recording.weights["weight"].tolist() == [2.0, 2.0]
    folder.checkpoint.write_bytes(b"half")
    before = load_checkpoint(folder)
    assert before is not None
    assert before.training.epoch == 1
    assert "checkpoint.pt cannot be read" in folder.log.read_text()


def test_what_lay_beyond_the_checkpoint_is_done_again_and_not_twice(mine: Claim) -> None:
    first = recorder(mine)
    for event in (steps(1), checkpoint(1), evaluated(1), steps(2), checkpoint(2), evaluated(2)):
        first.take(event)
    mine.folder.checkpoint.unlink()  # it goes on from the one before, after epoch 1
    again = recorder(mine)
    assert epochs_of(again.curves) == [1, 1]
    for event in (steps(2), checkpoint(2), evaluated(2), evaluated(2)):
        again.take(event)
    assert epochs_of(mine.folder.curves()) == [1, 1, 2, 2]
    assert [record["epoch"] for record in raw(mine.folder, "evaluations")] == [1, 2]
    assert raw(mine.folder, "evaluations")[0]["mAP"] == 1.0


def test_seconds_are_charged_to_training_or_evaluation_over_all_attempts(mine: Claim, clock: list[float]) -> None:
    recording = recorder(mine)
    for event, seconds in ((steps(1), 5.0), (checkpoint(1), 1.0), (evaluated(1), 20.0), (steps(2), 5.0)):
        clock[0] += seconds
        recording.take(event)
    assert recording.seconds == Seconds(train=11.0, evaluation=20.0)
    clock[0] += 3.0
    recording.charge_evaluation()
    assert recording.seconds == Seconds(train=11.0, evaluation=23.0)
    clock[0] += 100.0  # nobody trains
    resumed = recorder(mine)
    assert resumed.seconds == Seconds(train=6.0, evaluation=0.0), "as of the checkpoint"
    clock[0] += 2.0
    resumed.take(evaluated(1))
    assert resumed.seconds == Seconds(train=6.0, evaluation=2.0)


@pytest.mark.parametrize(
    "event", [checkpoint(1), evaluated(1), Diverged(1, "the loss is not finite")], ids=lambda e: type(e).__name__
)
def test_who_has_lost_the_run_writes_no_more(event: Checkpoint | Evaluated | Diverged, mine: Claim) -> None:
    recording = recorder(mine)
    recording.take(steps(1))
    assert take(mine.folder, dead=mine.generation) is not None
    before = {path.name: path.stat().st_mtime_ns for path in mine.folder.path.iterdir()}
    recording.take(steps(2))
    with pytest.raises(ClaimLostError):
        recording.take(event)
    after = {path.name: path.stat().st_mtime_ns for path in mine.folder.path.iterdir()}
    assert {**after, "progress.json": None} == {**before, "progress.json": None}


def test_a_divergence_leaves_the_curves_that_led_to_it(mine: Claim) -> None:
    recording = recorder(mine)
    recording.take(Diverged(1, "before the first iteration"))
    assert mine.folder.curves() is None
    recording.take(steps(1))
    recording.take(Diverged(1, "the loss is not finite"))
    assert epochs_of(mine.folder.curves()) == [1, 1]
