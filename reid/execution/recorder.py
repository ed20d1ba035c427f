"""Writes what a run made into its folder."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from reid.data.run_data import RunData
from reid.evaluation.evaluator import Measured
from reid.evaluation.rank_lists import named_lists
from reid.evaluation.ranking import headline
from reid.files import atomic
from reid.store.run_folder import RunFolder
from reid.training import Checkpoint, Evaluated, measure_dynamics


def save_result(
    folder: RunFolder, measured: Measured, data: RunData, curves: pd.DataFrame, cost: Mapping[str, Any]
) -> None:
    """result.json, the queries' average precision, a few rank lists, and features of a few identities to draw."""
    ranking, spaces = measured.headline, measured.spaces
    for name, other in measured.rankings.items():
        part = "query_ap.npy" if other is ranking else f"query_ap.{name}.npy"
        with atomic(folder.path / part) as temporary, temporary.open("wb") as file:
            np.save(file, other.ap)
    with atomic(folder.path / "embeddings.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **spaces.shown)
    folder.write("ranklists", named_lists(ranking.lists, data.training.dataset))
    result = {
        "metrics": headline(ranking),
        "cmc": [float(value) for value in ranking.cmc],
        "queries": len(ranking.ap),
        "valid_queries": int(np.isfinite(ranking.ap).sum()),
        "dynamics": without_nan(measure_dynamics(curves)),
        "spaces": {name: headline(space) for name, space in spaces.rankings.items()},
        "clusters": {name: without_nan(measures) for name, measures in spaces.clusters.items()},
        "cost": dict(cost),
    }
    if not data.domains.alone:
        trained = data.domains.train_on
        result["domains"] = {
            name: {"trained_on": name in trained, **headline(measured.rankings[name])}
            for name in data.domains.evaluate_on
        }
    folder.write("result", result)


def without_nan(numbers: dict[str, float]) -> dict[str, float | None]:
    """`numbers` for JSON, which has no NaN: null where there is none."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


class Executed:
    """A run's records as they grow: curves, evaluations and cost, kept on disk at every checkpoint."""

    def __init__(self, folder: RunFolder, resume: dict[str, Any] | None) -> None:
        self.folder = folder
        epoch = resume["training"]["epoch"] if resume else 0
        self.seconds: dict[str, float] = resume["seconds"] if resume else {"train": 0.0, "evaluation": 0.0}
        curves = folder.curves() if resume else None
        self.curves: list[pd.DataFrame] = [] if curves is None else [curves[curves["epoch"] <= epoch]]
        evaluations = (folder.read("evaluations") if resume else None) or []
        self.evaluations: list[dict[str, Any]] = [e for e in evaluations if e["epoch"] <= epoch]

    def save_curves(self) -> None:
        if self.curves:
            self.curves = [pd.concat(self.curves, ignore_index=True)]
            self.folder.write_curves(self.curves[0])

    def save_evaluation(self, event: Evaluated) -> None:
        self.evaluations = [e for e in self.evaluations if e["epoch"] != event.epoch]
        self.evaluations.append({"epoch": event.epoch, **headline(event.ranking)})
        self.folder.write("evaluations", self.evaluations)

    def save_checkpoint(self, event: Checkpoint) -> None:
        """The new checkpoint in place of the last, which is kept as checkpoint.previous.pt."""
        self.save_curves()
        with atomic(self.folder.checkpoint) as temporary:
            save_tensors({"training": event.state, "seconds": self.seconds}, temporary)
            if self.folder.checkpoint.exists():
                self.folder.checkpoint.replace(self.folder.previous_checkpoint)


def save_tensors(state: Any, path: Path) -> None:
    """torch.save through a file of Python's, which says that the disk is full; torch's own says nothing of why."""
    with path.open("wb") as file:
        torch.save(state, file)


def load_checkpoint(folder: RunFolder) -> dict[str, Any] | None:
    """The last whole checkpoint of a run, the one before where the last cannot be read, None if there is none."""
    for file in (folder.checkpoint, folder.previous_checkpoint):
        if file.exists():
            try:
                state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
            except Exception as error:
                write_log(
                    folder,
                    f"{file.name} cannot be read ({type(error).__name__}: {error}); falling back to the one before",
                )
                continue
            return state
    return None


def load_weights(source: RunFolder) -> dict[str, torch.Tensor]:
    """The final weights of a finished training, on the CPU."""
    weights: dict[str, torch.Tensor] = torch.load(source.model, map_location="cpu", weights_only=True)
    return weights


def write_log(folder: RunFolder, text: str) -> None:
    """Add a line to the run's log, with the time."""
    with folder.log.open("a") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
