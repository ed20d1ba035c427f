"""Grids made of real folders: a truth in, run folders with metrics, curves and outcomes out."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reid.recipe import Recipe, digest
from reid.tricks import TRICKS
from reid.tricks.paper import PAPER_TRICKS
from tests.helpers.records import evaluation
from tests.helpers.services import need

TRICK_FACTORS = [
    {"name": name, "short": TRICKS[name].short, "title": TRICKS[name].title, "levels": ["off", "on"]}
    for name in PAPER_TRICKS
]
EFFECTS = (0.012, 0.034, 0.006, 0.012, 0.045, 0.001)  # of PAPER_TRICKS, in mAP
OUTCOMES = {
    ("010000", 0): "diverged",
    ("000001", 1): "failed",
    ("000011", 0): "planned",
    ("000011", 1): "planned",
    ("111011", 1): "running",
}
Outcome = Mapping[tuple[str, int], str]
MakeGrid = Callable[..., Path]


@pytest.fixture
def make_grid(tmp_path: Path) -> MakeGrid:
    """A function that writes a fabricated grid under tmp_path and returns its folder."""

    def make(**options: Any) -> Path:
        return write_grid(tmp_path / "output", **options)

    return make


def write_grid(
    output: Path,
    factors: Sequence[Mapping[str, Any]] = TRICK_FACTORS,
    seeds: Sequence[int] = (0,),
    effects: Sequence[float] = EFFECTS,
    noise: float = 0.006,
    outcomes: Outcome | None = None,
    iterations: int = 1200,
    name: str = "demo",
    keep: Callable[[str], bool] = bool,
) -> Path:
    """A grid of every arm x seed, or of those arms to `keep`. `outcomes` gives runs (arm, seed) another state than
    finished. The effect of a factor of several levels grows with the level."""
    random = np.random.default_rng(7)
    every = ["".join(map(str, codes)) for codes in product(*(range(len(factor["levels"])) for factor in factors))]
    arms = [arm for arm in every if keep(arm)]
    plan: dict[str, Any] = {
        "name": name,
        "title": "Six tricks on fabricated people",
        "question": "Which of the six tricks helps, by how much, and together with what?",
        "command": f"reid ablate experiments/{name}.yaml",
        "created": "2026-01-01T00:00:00+00:00",
        "yaml": f"name: {name}\n",
        "factors": list(factors),
        "seeds": list(seeds),
        "dataset": dataset(),
        "arms": [
            {
                "arm": arm,
                "levels": {f["name"]: f["levels"][int(b)] for f, b in zip(factors, arm, strict=True)},
                "recipe": Recipe().model_dump(mode="json"),
            }
            for arm in arms
        ],
        "runs": [{"signature": digest([name, arm, seed]), "arm": arm, "seed": seed} for seed in seeds for arm in arms],
    }
    folder = output / "grids" / name
    folder.mkdir(parents=True)
    write_json(folder / "plan.json", plan)
    shift = {seed: random.normal(0, 0.01) for seed in seeds}
    for run in plan["runs"]:
        on = np.array([int(bit) for bit in run["arm"]])
        metric = 0.55 + shift[run["seed"]] + on @ np.asarray(effects) + random.normal(0, noise)
        if len(factors) == 6:
            metric += 0.01 * (on[1] * on[4]) - 0.008 * (on[0] * on[4])
        state = (outcomes or {}).get((run["arm"], run["seed"]), "finished")
        if state != "planned":
            write_run(output / "runs" / run["signature"], run, state, metric, on, random, iterations)
    return folder


def write_json(path: Path, value: Any) -> None:
    """Without the sync of the real writer, which takes most of a test's time."""
    path.write_text(json.dumps(value))


def dataset() -> dict[str, Any]:
    return {
        "name": "fabricated",
        "layout": "market1501",
        "root": "data/fabricated",
        "fingerprint": "0123456789abcdef",
        "counts": {
            "train": {"identities": 40, "images": 640, "cameras": 4},
            "query": {"identities": 30, "images": 60, "cameras": 4},
        },
        "skipped": ["query/0007_c9.jpg: truncated JPEG"],
    }


def write_run(
    folder: Path, run: Mapping[str, Any], state: str, metric: float, on: Any, random: Any, iterations: int
) -> None:
    """One run folder in `state` with mAP `metric`, as docs/run-folder.md says."""
    folder.mkdir(parents=True)
    asked = {
        "signature": run["signature"],
        "recipe": Recipe().model_dump(mode="json"),
        "seed": run["seed"],
        "dataset": dataset(),
        "code": "c0de" * 4,
        "environment": {"python": "3.11.9", "packages": {"torch": "2.14.1"}, "device": "cpu", "threads": 2},
        "created": "2026-01-01T00:00:00+00:00",
    }
    write_json(folder / "run.json", asked)
    reasons = {"diverged": "loss is NaN at iteration 311", "failed": "CUDA out of memory", "stopped": "SIGTERM"}
    write_json(
        folder / "state.json",
        {
            "state": "stopped" if state == "censored" else state,
            "early_stopped": state == "censored",
            "epoch": 4 if state == "censored" else 12,
            "epochs": 12,
            "reason": reasons.get(state, ""),
            "error": "",
            "attempts": 1,
            "started": 1767225600.0,
            "updated": 1767226200.0,
        },
    )
    if state == "censored":
        seen = [evaluation(2, 0.3 * metric), evaluation(4, 0.6 * metric)]
        write_json(folder / "evaluations.json", [one.model_dump() for one in seen])
    frame = curves(iterations // 4 if state != "finished" else iterations, on, random)
    frame.to_parquet(folder / "curves.parquet", index=False)
    if state == "finished":
        spread = random.normal(0, 0.1, 60)
        np.save(folder / "query_ap.npy", metric + spread - spread.mean())
        rank1 = min(metric + 0.21 + random.normal(0, 0.004), 1.0)
        metrics = {"mAP": metric, "mINP": metric - 0.3, "rank1": rank1, "rank5": min(rank1 + 0.1, 1.0), "rank10": 1.0}
        seconds = 240 + 60 * on[min(3, len(on) - 1)] + random.normal(0, 4)
        cost = {"train_seconds": seconds, "evaluation_seconds": 9.0, "images_per_second": 7680 / seconds}
        cost["peak_memory_bytes"] = 2**30 + 2**28 * int(on[min(3, len(on) - 1)])
        write_json(
            folder / "result.json",
            {"metrics": metrics, "cmc": [rank1] * 50, "queries": 60, "valid_queries": 60, "cost": cost},
        )


def curves(iterations: int, on: Any, random: Any) -> pd.DataFrame:
    """Losses that fall and wobble, less so with the fifth factor on; a floor under the ID loss with the third on."""
    t = np.arange(1, iterations + 1)
    calm, smoothed = (bool(on[i]) if len(on) > i else False for i in (4, 2))
    wobble = random.normal(1, 0.12 if calm else 0.3, size=(2, iterations)).clip(0)
    id_loss = 0.6 * smoothed + (0.15 + 5 * np.exp(-t / (150 if calm else 260))) * wobble[0]
    triplet = (0.06 + 0.9 * np.exp(-t / (320 if calm else 240))) * wobble[1]
    frame = pd.DataFrame({"iteration": t, "epoch": 1 + t // 100, "id_loss": id_loss, "triplet_loss": triplet})
    return frame.astype({"iteration": "int32", "epoch": "int32", "id_loss": "float32", "triplet_loss": "float32"})


FACTORS = list("abcdef")


def make_table(
    k: int = 6,
    seeds: int = 1,
    effects: Mapping[str, float] | None = None,
    noise: float = 0.01,
    random_seed: int = 0,
) -> pd.DataFrame:
    """A tidy table of a full factorial, all finished. `effects` maps "a", or a pair "ab", to what it adds to mAP."""
    random = np.random.default_rng(random_seed)
    rows = []
    for seed, bits in product(range(seeds), product([False, True], repeat=k)):
        on = dict(zip(FACTORS, bits, strict=False))
        gain = sum(value for names, value in (effects or {}).items() if all(on.get(name) for name in names))
        arm = "".join(str(int(bit)) for bit in bits)
        value = 0.5 + 0.05 * seed + gain + random.normal(0, noise)
        rows.append({"arm": arm, **on, "seed": seed, "state": "finished", "mAP": value})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def pdftotext() -> str:
    """Path of poppler's pdftotext; skips without it, fails where services are required."""
    path = shutil.which("pdftotext")
    need(None if path else "pdftotext is not installed (package poppler-utils)")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def read(pdftotext: str) -> Callable[[Path], str]:
    """A function that gives the text of a PDF, a table's row on a line."""

    def text(pdf: Path) -> str:
        found = subprocess.run([pdftotext, "-layout", pdf, "-"], capture_output=True, check=True).stdout.decode()
        return found.replace("\u202f", " ")

    return text
