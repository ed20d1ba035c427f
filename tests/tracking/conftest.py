"""Grids made of real folders and a migrated store, for MLflow to be a projection of."""

import json
import shutil
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reid.files import write_json
from reid.recipe import Recipe, digest
from reid.store.run_folder import RunFolder
from reid.tracking.mlflow_store import Store
from reid.tricks import TRICKS
from tests.helpers.records import write_raw

CREATED = "2026-01-01T00:00:00+00:00"
STARTED = 1767225600.0  # the same moment
EFFECTS = dict(zip(TRICKS, (0.012, 0.034, 0.006, 0.012, 0.045, 0.001), strict=True))
SEEDS = (0, 1)
DATASET = {"name": "fabricated", "layout": "market1501", "root": "data/fabricated", "fingerprint": "0123456789abcdef"}


class Fabric:
    """Writes grids and runs as docs/run-folder.md says, in an output folder of its own."""

    def __init__(self, output: Path) -> None:
        self.output = output

    def grid(
        self,
        name: str = "demo",
        tricks: Sequence[str] = ("warmup", "bnneck"),
        seeds: Sequence[int] = SEEDS,
        outcomes: Mapping[tuple[str, int], str] | None = None,
        epochs: int = 12,
        iterations: int = 10,
    ) -> Path:
        """A grid of every arm x seed, its runs finished unless `outcomes` says otherwise; returns its folder."""
        factors = [
            {"name": t, "short": TRICKS[t].short, "title": TRICKS[t].title, "levels": ["off", "on"]} for t in tricks
        ]
        base = Recipe().set(
            {"schedule.epochs": epochs, "schedule.milestones": (epochs,), "evaluation.every": max(1, epochs // 6)}
        )
        arms, runs = [], []
        for bits in product((0, 1), repeat=len(tricks)):
            recipe = base
            for trick, bit in zip(tricks, bits, strict=True):
                recipe = TRICKS[trick].apply(recipe) if bit else recipe
            levels = {trick: ("off", "on")[bit] for trick, bit in zip(tricks, bits, strict=True)}
            arms.append({"arm": "".join(map(str, bits)), "levels": levels, "recipe": recipe.model_dump(mode="json")})
        for seed, arm in product(seeds, arms):
            signature = digest([arm["recipe"], seed])
            runs.append({"signature": signature, "arm": arm["arm"], "seed": seed})
            state = (outcomes or {}).get((str(arm["arm"]), seed), "finished")
            self.run(signature, arm, seed, state, iterations)
        plan = {
            "name": name,
            "title": "Tricks on fabricated people",
            "question": "Which of the tricks helps, by how much, and together with what?",
            "command": f"reid ablate experiments/{name}.yaml",
            "created": CREATED,
            "yaml": f"name: {name}\n",
            "factors": factors,
            "seeds": list(seeds),
            "dataset": {**DATASET, "counts": {}, "skipped": []},
            "arms": arms,
            "runs": runs,
        }
        folder = self.output / "grids" / name
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "plan.json", plan)
        return folder

    def run(self, signature: str, arm: Mapping[str, Any], seed: int, state: str, iterations: int) -> RunFolder:
        """One run folder in `state`; a planned one has its run.json only, one that did not finish half its epochs."""
        folder = RunFolder(self.output / "runs" / signature)
        folder.path.mkdir(parents=True, exist_ok=True)
        environment = {
            "python": "3.11.9",
            "packages": {"torch": "2.14.1"},
            "device": "cpu",
            "threads": 2,
            "host": "fabric",
        }
        asked = {
            "signature": signature,
            "recipe": arm["recipe"],
            "seed": seed,
            "dataset": {**DATASET, "counts": {}, "skipped": []},
        }
        write_raw(folder, "run", {**asked, "code": "c0de" * 4, "environment": environment, "created": CREATED})
        if state == "planned":
            return folder
        epochs = arm["recipe"]["schedule"]["epochs"]
        done = epochs if state == "finished" else epochs // 2
        reason = {"diverged": "the ID loss is NaN", "failed": "RuntimeError: no luck", "stopped": "asked to stop"}.get(
            state
        )
        error = "Traceback (most recent call last):\nRuntimeError: no luck" if state == "failed" else None
        times = {"started": STARTED, "updated": STARTED + 60 * done}
        write_raw(
            folder,
            "state",
            {"state": state, "epoch": done, "epochs": epochs, "reason": reason, "error": error, "attempts": 1, **times},
        )
        random = np.random.default_rng(int(signature, 16) % 2**32)
        mAP = (
            0.55
            + sum(EFFECTS[trick] for trick, level in arm["levels"].items() if level == "on")
            + random.normal(0, 0.008)
        )
        every = arm["recipe"]["evaluation"]["every"]
        progress = {epoch: mAP * (1 - 0.6 * np.exp(-4 * epoch / epochs)) for epoch in range(every, done + 1, every)}
        write_raw(folder, "evaluations", [{"epoch": epoch, **scores(value)} for epoch, value in progress.items()])
        whole = curves(epochs, iterations, random)
        drawn = whole[whole["epoch"] <= done + (state == "running")].copy()
        if state == "diverged":
            drawn.iloc[-3:, 2:] = np.nan
        folder.write_curves(drawn)
        folder.log.write_text(f"{state}\n")
        (folder.path / "result.json").unlink(missing_ok=True)
        if state == "finished":
            seconds = 240 * (1.25 if arm["levels"].get("last_stride") == "on" else 1) + random.normal(0, 6)
            cost = {"train_seconds": seconds, "evaluation_seconds": 9.0, "images_per_second": 7680 / seconds}
            result = {"metrics": scores(mAP), "cmc": [mAP] * 50, "queries": 60, "valid_queries": 60}
            write_raw(folder, "result", {**result, "cost": {**cost, "peak_memory_bytes": 2**30}})
        return folder

    def runs(self, grid: Path) -> dict[tuple[str, int], RunFolder]:
        """A grid's run folders by (arm, seed)."""
        plan = json.loads((grid / "plan.json").read_text())
        return {(run["arm"], run["seed"]): RunFolder(self.output / "runs" / run["signature"]) for run in plan["runs"]}


def scores(mAP: float) -> dict[str, float]:
    return {"mAP": mAP, "mINP": mAP - 0.3, "rank1": mAP + 0.2, "rank5": mAP + 0.25, "rank10": mAP + 0.3}


def curves(epochs: int, iterations: int, random: np.random.Generator) -> pd.DataFrame:
    """Losses that fall and wobble over `epochs` x `iterations`."""
    n = epochs * iterations
    fall = np.exp(-4 * np.arange(n) / n)
    frame = pd.DataFrame({"iteration": np.arange(1, n + 1, dtype=np.int32)})
    frame["epoch"] = np.repeat(np.arange(1, epochs + 1, dtype=np.int32), iterations)
    for name, size in {"id": 5.0, "triplet": 1.0}.items():
        frame[f"{name}_loss"] = frame[f"{name}_weighted"] = size * fall * (1 + 0.1 * random.normal(size=n))
    frame["center_loss"] = frame["center_weighted"] = np.nan
    frame["total_loss"] = frame["id_loss"] + frame["triplet_loss"]
    frame["accuracy"] = 1 - fall
    return frame.astype(dict.fromkeys(frame.columns[2:], "float32"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MLflow 3.17 asks SQLAlchemy 2.1 for a loader that it deprecates; nothing here can change that."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database with all its tables: making one costs seconds, copying it nothing."""
    output = tmp_path_factory.mktemp("migrated")
    assert Store(None, output).client.search_experiments()
    return output / "mlflow.db"


@pytest.fixture
def fabric(tmp_path: Path, migrated: Path) -> Fabric:
    """An empty output folder with an empty embedded store, and the means to fill it."""
    output = tmp_path / "output"
    output.mkdir()
    shutil.copy(migrated, output / "mlflow.db")
    return Fabric(output)
