"""When a run is left before its end."""

from pathlib import Path

import pytest
import torch

from reid.evaluation import rank
from reid.execution.worker import StopRule
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.training import Checkpoint, Evaluated, TrainingState

EPOCHS = 6


def recipe(every: int) -> Recipe:
    return Recipe().set({"schedule.epochs": EPOCHS, "schedule.milestones": (3,), "evaluation.every": every})


def checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(epoch, TrainingState(epoch, epoch, {}, {}, {}, torch.zeros(0)))


def evaluated(epoch: int) -> Evaluated:
    return Evaluated(epoch, rank(torch.eye(2), torch.eye(2), [0, 1], [0, 1], [0, 0], [1, 1]))


# Events in the order in which a training yields them, up to the one that stops it.
@pytest.mark.parametrize(
    ("every", "until", "events", "stops"),
    [
        (2, None, [checkpoint(1), checkpoint(2), evaluated(2), checkpoint(3)], False),
        (2, 3, [checkpoint(2), evaluated(2), checkpoint(3)], True),
        (2, 2, [checkpoint(1), checkpoint(2), evaluated(2)], True),
        (2, 2, [checkpoint(1), checkpoint(2)], False),  # its evaluation is due
        (2, 2, [checkpoint(3)], True),  # it was beyond, and goes no further
        (2, EPOCHS, [checkpoint(EPOCHS), evaluated(EPOCHS)], False),  # that is its end
        (5, EPOCHS, [checkpoint(EPOCHS), evaluated(EPOCHS)], False),
    ],
)
def test_a_run_is_paused_at_its_epoch_after_the_evaluation_that_is_due(
    every: int, until: int | None, events: list[Checkpoint | Evaluated], stops: bool, tmp_path: Path
) -> None:
    rule = StopRule(RunFolder(tmp_path), recipe(every), lambda: False, until)
    *before, last = [rule.reason(event) for event in events]
    assert before == [None] * len(before)
    assert last == (f"paused after epoch {events[-1].epoch}" if stops else None)


@pytest.mark.parametrize("by_file", [False, True])
def test_a_run_that_is_asked_stops_at_its_next_checkpoint_and_not_at_its_end(by_file: bool, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    rule = StopRule(folder, recipe(1), lambda: not by_file, None)
    if by_file:
        folder.stop_request.touch()
    assert rule.reason(evaluated(2)) is None
    assert rule.reason(checkpoint(EPOCHS)) is None
    assert folder.stop_request.exists() is by_file
    assert rule.reason(checkpoint(2)) == "asked to stop after epoch 2"
    assert not folder.stop_request.exists(), "the next attempt is not asked"


@pytest.mark.parametrize(("epoch", "stays"), [(2, False), (3, False), (4, False), (5, True)])
def test_a_resumed_run_beyond_its_pause_does_not_train(epoch: int, stays: bool, tmp_path: Path) -> None:
    rule = StopRule(RunFolder(tmp_path), recipe(2), lambda: True, until=4)
    assert rule.pause(epoch) == (f"paused after epoch {epoch}" if stays else None)
