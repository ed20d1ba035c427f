from pathlib import Path
from typing import Any

import pytest

from reid.execution.progress import Progress
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The module's monotonic clock: what was appended last."""
    now = [0.0]
    monkeypatch.setattr("reid.execution.progress.time.monotonic", lambda: now[-1])
    return now


def test_speed_is_of_training_alone_and_eta_of_all(tmp_path: Path, clock: list[float]) -> None:
    told: list[dict[str, Any]] = []
    recipe = Recipe().set(
        {"schedule.epochs": 10, "schedule.milestones": (5,), "batch.identities": 4, "batch.images": 2}
    )
    progress = Progress(RunFolder(tmp_path), recipe, "1 GPU 0", told.append)

    def tell(now: float, **numbers: float) -> dict[str, Any]:
        clock.append(now)
        progress(dict(numbers))
        return told[-1]

    assert tell(5, epoch=1, iteration=20) == {"epoch": 1, "iteration": 20}
    assert tell(7, epoch=1, iteration=40)["images_per_second"] == 20 * 8 / 2
    assert "eta" not in told[-1]
    tell(107, epoch=1, mAP=0.5)  # an evaluation of 100 s
    after = tell(109, epoch=2, iteration=60)
    assert after["images_per_second"] == pytest.approx(80.0)
    assert after["eta"] == pytest.approx((109 - 5) * 9)
    shown = RunFolder(tmp_path).read("progress")
    assert shown.items() >= {"epoch": 2, "iteration": 60, "mAP": 0.5, "slot": "1 GPU 0"}.items()


def test_the_file_is_written_once_a_second_at_most(tmp_path: Path, clock: list[float]) -> None:
    progress = Progress(RunFolder(tmp_path), Recipe(), "0", lambda _: None)
    for number in range(30):
        clock.append(10 + number / 10)
        progress({"epoch": 1, "iteration": number})
        written = RunFolder(tmp_path).read("progress")
        assert number - 10 <= written["iteration"] <= number
    assert written["iteration"] == 20
