"""Studies whose truth is known: runs that are made up at once instead of trained, with noise by seed."""

import json
import os
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reid.data import DatasetSource, DecodedDataset, TuningDataset, open_dataset
from reid.execution.events import Ended, Progressed, RunEvent
from reid.recipe import Recipe
from reid.seeding import numpy_generator
from reid.store.run_folder import RunFolder
from reid.store.run_records import Cost, ProgressRecord, ResultRecord, RunState
from reid.store.run_store import RunStore, set_state
from reid.store.study import TrialRecord
from reid.store.tracker import NoTracker
from reid.studies.search import Search, SearchStatus
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan
from reid.studies.trials import Trials
from reid.studies.validation_runs import SearchRuns
from tests.helpers.records import evaluation, scored

STUDY = """\
name: toy
title: Two knobs of a made-up network
question: Is the optimum found?
dataset: {{name: tiny, root: {root}}}
recipe:
  image: {{size: [32, 16]}}
  augmentation: {{pad: 2}}
  batch: {{identities: 4, images: 2}}
  backbone: {{name: resnet10_narrow, stem_relu: true, pretrained: none}}
  schedule: {{base: 3e-3, epochs: {epochs}, milestones: []}}
  evaluation: {{every: 1}}
tricks: {{label_smoothing: , bnneck: , center_loss: }}
trials: {trials}
{more}
"""
BEST_EPSILON, BEST_WEIGHT = 0.21, 1e-3


def write_study(folder: Path, root: Path | str, trials: int = 12, more: str = "", epochs: int = 2) -> Path:
    file = folder / "toy.yaml"
    file.write_text(STUDY.format(root=root, trials=trials, more=more, epochs=epochs))
    return file


def truth(recipe: Recipe) -> float:
    """The mAP of a recipe without noise: best at ε 0.21 with a centre-loss weight of 1e-3, 0.1 less where it is off."""
    weight = recipe.center.weight
    miss = 0.1 if weight == 0 else 0.01 * (np.log10(weight / BEST_WEIGHT)) ** 2
    return float(0.7 - 8 * (recipe.id_loss.epsilon - BEST_EPSILON) ** 2 - miss)


def noisy(recipe: Recipe, seed: int) -> float:
    return truth(recipe) + float(numpy_generator(seed, recipe.signature()).normal(0, 0.01))


class Imagined:
    """A trainer of one run at a time that makes results up, an epoch a round. It stops as a dispatch does."""

    def __init__(
        self, run_store: RunStore, value: Callable[[Recipe, int], float | str] = noisy, slots: int = 1
    ) -> None:
        self.run_store, self.value, self.slots = run_store, value, slots
        self.stopping = False
        self.queue: deque[str] = deque()
        self.trained: list[str] = []
        self.epochs = 0
        self.asked: set[str] = set()

    def free(self) -> int:
        return self.slots - len(self.queue)

    def idle(self) -> bool:
        return not self.queue

    def submit(self, signature: str) -> None:
        self.queue.append(signature)

    def stop_run(self, signature: str) -> None:
        self.asked.add(signature)

    def stop(self) -> None:
        self.stopping = True
        self.asked.update(self.queue)

    def advance(self, timeout: float) -> list[RunEvent]:  # noqa: ARG002 - the protocol's
        if not self.queue:
            return []
        signature = self.queue.popleft()
        folder = self.run_store.folder(signature)
        if (state := folder.read_state().state).has_result:  # trained by another process meanwhile
            return [Ended(signature, state)]
        told, state = self._epoch(folder)
        if state == RunState.RUNNING:
            self.queue.append(signature)
            return [told]
        if state == RunState.FINISHED:
            self.trained.append(signature)
        return [told, Ended(signature, state)]

    def _epoch(self, folder: RunFolder) -> tuple[Progressed, RunState]:
        """One more epoch of a run, from where its folder says it is."""
        asked = folder.require_run()
        recipe = asked.recipe.load()
        value = self.value(recipe, asked.seed)
        epoch = folder.read_state().epoch + 1
        self.epochs += 1
        if isinstance(value, str):
            state = RunState(value)
            set_state(folder, state=state, epoch=epoch, reason=f"{value} as planned")
            return Progressed(folder.signature, ProgressRecord(epoch=epoch)), state
        now = value * epoch / recipe.schedule.epochs
        folder.write_evaluations([*folder.read_evaluations(), evaluation(epoch, now)])
        told = Progressed(folder.signature, ProgressRecord(epoch=epoch, scores=scored(now)), evaluated=True)
        state = (
            RunState.FINISHED
            if epoch == recipe.schedule.epochs
            else RunState.STOPPED
            if folder.signature in self.asked
            else RunState.RUNNING
        )
        if state == RunState.FINISHED:
            cost = Cost(train_seconds=10 * recipe.id_loss.epsilon, evaluation_seconds=1.0, images_per_second=1.0)
            folder.write_result(ResultRecord(scores=scored(value), dynamics={"oscillation": None}, cost=cost))
        set_state(folder, state=state, epoch=epoch, reason=None, seconds=float(epoch))
        return told, state


KILLED_AFTER = 7  # epochs: in the middle of the fourth trial


class Killed(Imagined):
    """Ends its process by SIGKILL in the middle of a run."""

    def advance(self, timeout: float) -> list[RunEvent]:
        if self.epochs >= KILLED_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().advance(timeout)


def open_runs(plan: StudyPlan, output: Path) -> SearchRuns:
    source = DatasetSource.model_validate({**plan.spec.dataset.model_dump(), "split": plan.split})
    dataset = source.open()
    assert isinstance(dataset, TuningDataset)
    data: DecodedDataset[TuningDataset] = open_dataset(dataset, (32, 16), output / "cache")
    return SearchRuns(RunStore.create(output), source, data)


def search(
    file: Path,
    output: Path,
    trainer: Callable[[RunStore], Imagined] = Imagined,
    storage: str = "sqlite",
    seen: list[dict[str, Any]] | None = None,
    warn: Callable[[str], None] = lambda _: None,
    begun: Callable[[], None] = lambda: None,
) -> tuple[bool, list[dict[str, Any]], Imagined]:
    """Search with a made-up trainer; returns whether it is over, the trials, and the trainer.

    `warn` is told of outages; `begun` is called when the storage is open.
    """
    plan = StudyPlan(file)
    folder = output / "studies" / plan.spec.name
    runs = open_runs(plan, output)
    imagined = trainer(runs.run_store)
    folder.mkdir(parents=True, exist_ok=True)

    def show(_: SearchStatus, ended: TrialRecord | None) -> None:
        if ended is not None and seen is not None:
            seen.append(ended.model_dump(mode="json"))

    with Storage(storage, folder, warn) as opened:
        trials = Trials(plan, opened, runs.data.fingerprint)
        study = plan.record(runs.record, opened.shown, "reid tune toy.yaml")
        begun()
        over = Search(study, trials, runs, imagined, NoTracker(), show).run()
        return over, json.loads((folder / "trials.json").read_text()), imagined


def work(file: Path, output: Path, storage: str, dies: bool) -> None:
    """One of several processes of a search."""
    search(file, output, Killed if dies else Imagined, storage)
