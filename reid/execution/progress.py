"""How far a run is, for whoever looks: progress.json in its folder, rewritten at most once a second."""

import time
from collections.abc import Callable

from reid.metrics.scores import Scores
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.store.run_records import ProgressRecord

WRITE_SECONDS = 1.0
SMOOTHING = 0.7  # of the speed: the share of what was measured before

Report = Callable[[ProgressRecord, bool], None]  # how far a run is, and whether its scores are new


class RunProgress:
    """Measures the speed of a run and the time it has to go, reports both, and keeps progress.json.

    `images_per_second` is of training alone; `eta`, in seconds, is known once an epoch is over.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe, slot: str, report: Report) -> None:
        self.folder = folder
        self.epochs = recipe.schedule.epochs
        self.batch = recipe.batch.identities * recipe.batch.images
        self.report = report
        self.record = ProgressRecord(epoch=0, slot=slot)
        self.began: tuple[int, float] | None = None  # the first epoch of this attempt, and when
        self.last: tuple[int | None, float] = None, time.monotonic()  # iteration, None after an evaluation; when
        self.written = float("-inf")

    def stepped(self, epoch: int, iteration: int, loss: float) -> None:
        """Training has reached `iteration`."""
        now = time.monotonic()
        before, since = self.last
        speed = self.record.images_per_second
        if before is not None and now > since:
            measured = (iteration - before) * self.batch / (now - since)
            speed = measured if speed is None else SMOOTHING * speed + (1 - SMOOTHING) * measured
        self.last = iteration, now
        changes = {"epoch": epoch, "iteration": iteration, "loss": loss, "images_per_second": speed}
        self._tell(self.record.model_copy(update=changes), now, evaluated=False)

    def evaluated(self, epoch: int, scores: Scores) -> None:
        """The queries were ranked after `epoch`."""
        now = time.monotonic()
        self.last = self.record.iteration, now
        self._tell(self.record.model_copy(update={"epoch": epoch, "scores": scores}), now, evaluated=True)

    def _tell(self, record: ProgressRecord, now: float, evaluated: bool) -> None:
        if self.began is None:
            self.began = record.epoch, now
        first, since = self.began
        eta = record.eta
        if record.epoch > first:
            eta = (now - since) / (record.epoch - first) * (self.epochs - record.epoch + 1)
        self.record = record.model_copy(update={"eta": eta, "updated": time.time()})
        self.report(self.record, evaluated)
        if now - self.written >= WRITE_SECONDS:
            self.written = now
            self.folder.write_progress(self.record)
