"""One run, from its folder back into its folder."""

import math
import resource
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from reid.ablation.ledger import claim, set_state
from reid.ablation.provenance import environment, training_code
from reid.data import Dataset, DatasetSource, DecodedDataset, open_dataset
from reid.errors import InputError
from reid.evaluation import Ranking, chance_mAP
from reid.evaluation.lists import named_lists
from reid.evaluation.spaces import Spaces, measure_spaces
from reid.recipe import Recipe
from reid.run_folder import ENDED, RunFolder, atomic
from reid.training import Checkpoint, Diverged, Evaluated, Steps, learnt_nothing, measure_dynamics, train

CLEAR_PEAK = Path("/proc/self/clear_refs")  # Linux: "5" resets the high-water mark of resident memory
STATUS = Path("/proc/self/status")
Report = Callable[[dict[str, Any]], None]


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
        self.ranking: Ranking | None = None

    def save_curves(self) -> None:
        if self.curves:
            self.curves = [pd.concat(self.curves, ignore_index=True)]
            self.folder.write_curves(self.curves[0])

    def save_evaluation(self, event: Evaluated) -> None:
        self.ranking = event.ranking
        self.evaluations = [e for e in self.evaluations if e["epoch"] != event.epoch]
        self.evaluations.append({"epoch": event.epoch, **headline(event.ranking)})
        self.folder.write("evaluations", self.evaluations)

    def save_checkpoint(self, event: Checkpoint) -> None:
        """The new checkpoint in place of the last, which is kept as checkpoint.previous.pt."""
        self.save_curves()
        with atomic(self.folder.checkpoint) as temporary:
            torch.save({"training": event.state, "seconds": self.seconds}, temporary)
            if self.folder.checkpoint.exists():
                self.folder.checkpoint.replace(self.folder.previous_checkpoint)

    def save_result(self, images: int, device: torch.device, spaces: Spaces, dataset: Dataset) -> None:
        """result.json, the queries' average precision, a few rank lists, and features of a few identities to draw."""
        assert self.ranking is not None, "the last epoch is always evaluated"
        with atomic(self.folder.path / "query_ap.npy") as temporary, temporary.open("wb") as file:
            np.save(file, self.ranking.ap)
        with atomic(self.folder.path / "embeddings.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **spaces.shown)
        self.folder.write("ranklists", named_lists(self.ranking.lists, dataset))
        self.folder.write(
            "result",
            {
                "metrics": headline(self.ranking),
                "cmc": [float(value) for value in self.ranking.cmc],
                "queries": len(self.ranking.ap),
                "valid_queries": int(np.isfinite(self.ranking.ap).sum()),
                "dynamics": without_nan(measure_dynamics(self.curves[0])),
                "spaces": {name: headline(ranking) for name, ranking in spaces.rankings.items()},
                "clusters": {name: without_nan(measures) for name, measures in spaces.clusters.items()},
                "cost": {
                    "train_seconds": self.seconds["train"],
                    "evaluation_seconds": self.seconds["evaluation"],
                    "images_per_second": images / self.seconds["train"],
                    "peak_memory_bytes": peak_memory(device),
                },
            },
        )


def headline(ranking: Ranking) -> dict[str, float]:
    """mAP, mINP and rank-1/5/10 as fractions; on a gallery of fewer than k images rank-k is the last there is."""
    ranks = {f"rank{k}": float(ranking.cmc[min(k, len(ranking.cmc)) - 1]) for k in (1, 5, 10)}
    return {"mAP": ranking.mAP, "mINP": ranking.mINP, **ranks}


def without_nan(numbers: dict[str, float]) -> dict[str, float | None]:
    """`numbers` for JSON, which has no NaN: null where there is none."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def forget_peak_memory(device: torch.device) -> None:
    """Start counting `peak_memory` anew: a worker trains many runs."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR_PEAK.exists():
        CLEAR_PEAK.write_text("5")


def peak_memory(device: torch.device) -> int:
    """Bytes: the most this run has held, on the GPU if it trains there, else resident in its process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if STATUS.exists():
        return int(STATUS.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Worker:
    """Trains one run after another on one device; data sets stay open between them."""

    def __init__(self, cache: Path, device: torch.device, skip_unreadable: bool) -> None:
        self.cache = cache
        self.device = device
        self.skip_unreadable = skip_unreadable
        self.opened: dict[tuple[str, tuple[int, int]], DecodedDataset] = {}

    def execute(self, path: Path, report: Report, stopping: Callable[[], bool], until: int | None = None) -> str:
        """Train the run in folder `path` to its end, from its last checkpoint if it has one; returns its state.

        What raises is written to the folder: state failed, traceback in state.json and log.txt. After every checkpoint
        `stopping` and the folder's stop request are asked, and `until`, an epoch, is looked at; any of them leaves the
        run as stopped.
        """
        folder = RunFolder(path)
        with claim(folder) as mine:
            if not mine or folder.state() in ENDED:
                return folder.state()
            attempts = (folder.read("state") or {}).get("attempts", 0) + 1
            set_state(folder, state="running", reason=None, error=None, attempts=attempts, started=time.time())
            write_log(folder, f"attempt {attempts} on {self.device}")
            try:
                state, reason = self._train(folder, report, stopping, until)
                set_state(folder, state=state, reason=reason)
            except Exception as error:
                trace = traceback.format_exc()
                state, reason = (
                    "failed",
                    str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}",
                )
                write_log(folder, trace)
                set_state(folder, state=state, reason=reason, error=trace)
            write_log(folder, f"{state}: {reason}" if reason else state)
            if state in ENDED:
                folder.checkpoint.unlink(missing_ok=True)
                folder.previous_checkpoint.unlink(missing_ok=True)
            return state

    def _train(
        self, folder: RunFolder, report: Report, stopping: Callable[[], bool], until: int | None
    ) -> tuple[str, str | None]:
        described = folder.read("run")
        recipe = Recipe.model_validate(described["recipe"])
        data = self.open(described["dataset"], recipe.image.size)
        folder.write("run", {**described, "code": training_code(), "environment": environment(self.device)})
        resume = load_checkpoint(folder)
        executed = Executed(folder, resume)
        final = resume["training"]["model"] if resume else None
        forget_peak_memory(self.device)
        clock = time.perf_counter()
        for event in train(recipe, data, described["seed"], self.device, resume["training"] if resume else None):
            kind = "evaluation" if isinstance(event, Evaluated) else "train"
            executed.seconds[kind] += time.perf_counter() - clock
            match event:
                case Steps(rows):
                    executed.curves.append(rows)
                    last = rows.iloc[-1]
                    report(
                        {
                            "epoch": int(last["epoch"]),
                            "iteration": int(last["iteration"]),
                            "loss": float(last["total_loss"]),
                        }
                    )
                case Evaluated():
                    executed.save_evaluation(event)
                    report(executed.evaluations[-1])
                    write_log(
                        folder, " ".join(f"{name} {value:.4g}" for name, value in executed.evaluations[-1].items())
                    )
                case Checkpoint(epoch):
                    executed.save_checkpoint(event)
                    set_state(folder, epoch=epoch, epochs=recipe.schedule.epochs)
                    if epoch < recipe.schedule.epochs:
                        if stopping() or folder.stop_request.exists():
                            folder.stop_request.unlink(missing_ok=True)
                            return "stopped", f"asked to stop after epoch {epoch}"
                        if epoch == until:
                            return "stopped", f"paused after epoch {epoch}"
                    final = event.state["model"]
                case Diverged(_, reason):
                    executed.save_curves()
                    return "diverged", reason
            clock = time.perf_counter()
        assert final is not None, "a training has at least one epoch"
        spaces = measure_spaces(final, data, recipe, self.device)
        executed.seconds["evaluation"] += time.perf_counter() - clock
        curves = executed.curves[0]
        images = len(curves) * recipe.batch.identities * recipe.batch.images
        executed.save_result(images, self.device, spaces, data.dataset)
        with atomic(folder.model) as temporary:
            torch.save(final, temporary)
        mAP = executed.evaluations[-1]["mAP"]
        failure = learnt_nothing(curves, data.dataset.num_classes, mAP, chance_mAP(data.dataset))
        return ("diverged", failure) if failure else ("finished", None)

    def open(self, record: dict[str, Any], size: tuple[int, int]) -> DecodedDataset:
        """The data set of a run.json at `size`.

        Raises InputError where its content is no longer what the run was planned on.
        """
        key = (record["fingerprint"], size)
        if key not in self.opened:
            asked = {key: record[key] for key in ("name", "layout", "root", "split")}
            data = open_dataset(DatasetSource.model_validate(asked).open(), size, self.cache, self.skip_unreadable)
            if data.fingerprint != record["fingerprint"]:
                raise InputError(
                    f"{record['root']}: the images changed since the run was planned; launch the grid again"
                )
            self.opened[key] = data
        return self.opened[key]


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


def write_log(folder: RunFolder, text: str) -> None:
    """Add a line to the run's log, with the time."""
    with folder.log.open("a") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
