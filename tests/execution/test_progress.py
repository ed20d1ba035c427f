from pathlib import Path

import pytest

from reid.execution.progress import RunProgress
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.store.run_records import ProgressRecord
from tests.helpers.records import scored


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The module's monotonic clock: what was appended last."""
    now = [0.0]
    monkeypatch.setattr("reid.execution.progress.time.monotonic", lambda: now[-1])
    return now


def test_speed_is_of_training_alone_and_eta_of_all(tmp_path: Path, clock: list[float]) -> None:
    told: list[tuple[ProgressRecord, bool]] = []
    recipe = Recipe().set(
        {"schedule.epochs": 10, "schedule.milestones": (5,), "batch.identities": 4, "batch.images": 2}
    )
    progress = RunProgress(RunFolder(tmp_path), recipe, "1 GPU 0", lambda *what: told.append(what))

    def step(now: float, epoch: int, iteration: int) -> ProgressRecord:
        clock.append(now)
        progress.stepped(epoch, iteration, loss=1.0)
        return told[-1][0]

    first = step(5, epoch=1, iteration=20)
    assert (first.epoch, first.iteration, first.images_per_second) == (1, 20, None)
    assert step(7, epoch=1, iteration=40).images_per_second == 20 * 8 / 2
    assert told[-1][0].eta is None
    clock.append(107)  # an evaluation of 100 s
    progress.evaluated(1, scored(0.5))
    after = step(109, epoch=2, iteration=60)
    assert after.images_per_second == pytest.approx(80.0)
    assert after.eta == pytest.approx((109 - 5) * 9)
    assert [evaluated for _, evaluated in told] == [False, False, True, False]
    shown = RunFolder(tmp_path).read_progress()
    assert shown is not None
    assert (shown.epoch, shown.iteration, shown.scores, shown.slot) == (2, 60, scored(0.5), "1 GPU 0")


def test_the_file_is_written_once_a_second_at_most(tmp_path: Path, clock: list[float]) -> None:
    progress = RunProgress(RunFolder(tmp_path), Recipe(), "0", lambda *_: None)
    for number in range(30):
        clock.append(10 + number / 10)
        progress.stepped(1, number, loss=1.0)
        written = RunFolder(tmp_path).read_progress()
        assert written is not None
        assert written.iteration is not None
        assert number - 10 <= written.iteration <= number
    assert written is not None
    assert written.iteration == 20
