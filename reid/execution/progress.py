"""How far a run is, for whoever looks: progress.json in its folder, rewritten at most once a second."""

import time
from collections.abc import Callable
from typing import Any

from reid.files import write_json
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder

WRITE_SECONDS = 1.0
SMOOTHING = 0.7  # of the speed: the share of what was measured before


class Progress:
    """Passes on what a run reports, with its speed and the time it has to go, and keeps progress.json.

    The numbers gain `images_per_second`, of training alone, and `eta` in seconds once an epoch is over.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe, slot: str, report: Callable[[dict[str, Any]], None]) -> None:
        self.folder = folder
        self.epochs = recipe.schedule.epochs
        self.batch = recipe.batch.identities * recipe.batch.images
        self.slot = slot
        self.report = report
        self.numbers: dict[str, Any] = {}
        self.began: tuple[int, float] | None = None  # the first epoch of this attempt, and when
        self.last: tuple[int | None, float] = None, time.monotonic()  # iteration, None after an evaluation; when
        self.written = float("-inf")

    def __call__(self, numbers: dict[str, Any]) -> None:
        now = time.monotonic()
        self.numbers |= numbers
        self._measure(numbers.get("iteration"), now)
        self._forecast(numbers["epoch"], now)
        self.report(
            {**numbers, **{key: self.numbers[key] for key in ("images_per_second", "eta") if key in self.numbers}}
        )
        if now - self.written >= WRITE_SECONDS:
            self.written = now
            write_json(self.folder.progress, {**self.numbers, "slot": self.slot, "updated": time.time()}, durable=False)

    def _measure(self, iteration: int | None, now: float) -> None:
        before, since = self.last
        if iteration is not None and before is not None and now > since:
            speed = (iteration - before) * self.batch / (now - since)
            known = self.numbers.get("images_per_second", speed)
            self.numbers["images_per_second"] = SMOOTHING * known + (1 - SMOOTHING) * speed
        self.last = self.numbers.get("iteration") if iteration is None else iteration, now

    def _forecast(self, epoch: int, now: float) -> None:
        if self.began is None:
            self.began = epoch, now
        first, since = self.began
        if epoch > first:
            self.numbers["eta"] = (now - since) / (epoch - first) * (self.epochs - epoch + 1)
