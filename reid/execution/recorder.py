"""Writes what a run makes into its folder: curves, evaluations, checkpoints, its result, its log."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from reid.data import Dataset
from reid.data.run_data import RunData
from reid.evaluation import chance_mAP
from reid.evaluation.evaluator import EvaluationResult
from reid.evaluation.own_metrics import own_scores
from reid.evaluation.rank_lists import RankList
from reid.execution.progress import RunProgress
from reid.files import atomic
from reid.models import Loaded
from reid.models.weights_file import read_weights
from reid.store.claim import Claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import Cost, DomainScores, EvaluationRecord, RankedImage, RankListRecord, ResultRecord
from reid.store.run_store import set_state
from reid.training import Checkpoint, Diverged, Evaluated, Event, Steps, TrainingState, learnt_nothing, measure_dynamics


@dataclass
class Seconds:
    """What a run has cost so far, over all its attempts."""

    train: float = 0.0
    evaluation: float = 0.0


@dataclass(frozen=True)
class SavedTraining:
    """What checkpoint.pt holds: the training, and the seconds spent."""

    training: TrainingState
    seconds: Seconds = field(default_factory=Seconds)


class RunRecorder:
    """Takes the events of a training and writes them into the run's folder, where it goes on from if it is resumed.

    `claim` is asked before everything that would be seen by others: whoever lost the run writes no more.
    """

    def __init__(
        self, folder: RunFolder, epochs: int, claim: Claim, progress: RunProgress, resumed: SavedTraining | None
    ) -> None:
        self.folder, self.epochs, self.claim, self.progress = folder, epochs, claim, progress
        self.seconds = Seconds()
        self.weights: dict[str, Tensor] | None = None
        self._curves: list[pd.DataFrame] = []
        self._evaluations: list[EvaluationRecord] = []
        if resumed:
            epoch = resumed.training.epoch
            self.seconds, self.weights = resumed.seconds, resumed.training.model
            curves = folder.curves()
            self._curves = [] if curves is None else [curves[curves["epoch"] <= epoch]]
            self._evaluations = [record for record in folder.read_evaluations() if record.epoch <= epoch]
        self._clock = time.perf_counter()

    @property
    def curves(self) -> pd.DataFrame:
        """All iterations so far."""
        self._curves = [pd.concat(self._curves, ignore_index=True)]
        return self._curves[0]

    def take(self, event: Event) -> None:
        """Record an event. Raises ClaimLostError where another process has the run by now."""
        now = time.perf_counter()
        if isinstance(event, Evaluated):
            self.seconds.evaluation += now - self._clock
        else:
            self.seconds.train += now - self._clock
        if not isinstance(event, Steps):
            self.claim.require()
        match event:
            case Loaded():
                write_log(self.folder, f"pretrained weights: {event}")
            case Steps(rows):
                self._curves.append(rows)
                last = rows.iloc[-1]
                self.progress.stepped(int(last["epoch"]), int(last["iteration"]), float(last["total_loss"]))
            case Evaluated():
                self._save_evaluation(event)
            case Checkpoint():
                self._save_checkpoint(event.state)
            case Diverged() if self._curves:
                self.folder.write_curves(self.curves)
        self._clock = time.perf_counter()

    def charge_evaluation(self) -> None:
        """Count the time since the last event as evaluation."""
        self.seconds.evaluation += time.perf_counter() - self._clock

    def _save_evaluation(self, event: Evaluated) -> None:
        record = EvaluationRecord(epoch=event.epoch, **event.ranking.scores().model_dump())
        self._evaluations = [other for other in self._evaluations if other.epoch != event.epoch] + [record]
        self.folder.write_evaluations(self._evaluations)
        self.progress.evaluated(event.epoch, event.ranking.scores())
        write_log(self.folder, " ".join(f"{name} {value:.4g}" for name, value in record.model_dump().items()))

    def _save_checkpoint(self, state: TrainingState) -> None:
        """The new checkpoint in place of the last, which is kept as checkpoint.previous.pt."""
        self.folder.write_curves(self.curves)
        with atomic(self.folder.checkpoint) as temporary:
            save_tensors({"training": vars(state), "seconds": asdict(self.seconds)}, temporary)
            if self.folder.checkpoint.exists():
                self.folder.checkpoint.replace(self.folder.previous_checkpoint)
        set_state(self.folder, durable=False, epoch=state.epoch, epochs=self.epochs)
        self.weights = state.model


def save_result(
    folder: RunFolder, found: EvaluationResult, data: RunData, curves: pd.DataFrame, cost: Cost
) -> ResultRecord:
    """result.json, average precision and identity of the queries, a few rank lists, features of a few to draw."""
    ranking, spaces, dataset = found.primary, found.spaces, data.training.dataset
    for name, other in found.rankings.items():
        of = "" if other is ranking else f".{name}"
        per_query = {"query_ap": other.ap, "query_identities": data.sets[name].dataset.query.identities}
        for part, values in per_query.items():
            with atomic(folder.path / f"{part}{of}.npy") as temporary, temporary.open("wb") as file:
                np.save(file, values)
    with atomic(folder.path / "embeddings.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **spaces.shown)
    folder.write_rank_lists(named_lists(ranking.lists, dataset))
    result = ResultRecord(
        scores=ranking.scores(),
        cmc=tuple(ranking.cmc.tolist()),
        queries=len(ranking.ap),
        valid_queries=int(np.isfinite(ranking.ap).sum()),
        dynamics=without_nan(measure_dynamics(curves)),
        spaces={name: space.scores() for name, space in spaces.rankings.items()},
        clusters={name: without_nan(measures) for name, measures in spaces.clusters.items()},
        cost=cost,
        domains={} if data.domains.alone else _domain_scores(found, data),
        custom=without_nan(own_scores(ranking, data.sets[data.domains.primary].dataset)),
        signs=learnt_nothing(curves, dataset.num_classes, ranking.mAP, chance_mAP(dataset)),
    )
    folder.write_result(result)
    return result


def _domain_scores(found: EvaluationResult, data: RunData) -> dict[str, DomainScores]:
    domains = data.domains
    return {
        name: DomainScores(trained_on=name in domains.train_on, **found.rankings[name].scores().model_dump())
        for name in domains.evaluate_on
    }


def named_lists(lists: Sequence[RankList], dataset: Dataset) -> list[RankListRecord]:
    """Rank lists with the names of their images, relative to the data set's root."""

    def name(path: Path) -> str:
        return path.relative_to(dataset.root).as_posix() if path.is_relative_to(dataset.root) else str(path)

    return [
        RankListRecord(
            query=name(dataset.query.paths[one.query]),
            top=tuple(
                RankedImage(file=name(dataset.gallery.paths[item]), right=right)
                for item, right in zip(one.items, one.right, strict=True)
            ),
        )
        for one in lists
    ]


def without_nan(numbers: dict[str, float]) -> dict[str, float | None]:
    """`numbers` for JSON, which has no NaN: null where there is none."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def save_tensors(state: Any, path: Path) -> None:
    """torch.save through a file of Python's, which says that the disk is full; torch's own says nothing of why."""
    with path.open("wb") as file:
        torch.save(state, file)


def load_checkpoint(folder: RunFolder) -> SavedTraining | None:
    """The last whole checkpoint of a run, the one before where the last cannot be read, None if there is none."""
    for file in (folder.checkpoint, folder.previous_checkpoint):
        if file.exists():
            try:
                saved = torch.load(file, map_location="cpu", weights_only=True)
                return SavedTraining(TrainingState(**saved["training"]), Seconds(**saved["seconds"]))
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
                write_log(folder, f"{file.name} cannot be read ({found}); falling back to the one before")
    return None


def load_weights(source: RunFolder) -> dict[str, Tensor]:
    """The final weights of a finished training, on the CPU. Raises InputError where the file is damaged."""
    return read_weights(source.model, f"run {source.signature}")


def write_log(folder: RunFolder, text: str) -> None:
    """Add a line to the run's log, with the time."""
    with folder.log.open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
