"""Studies made of real folders: a truth in, study files and run folders with metrics out."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reid.files import write_json
from reid.recipe import digest
from reid.store.run_records import SplitRecord
from reid.store.study import TrialRun
from tests.helpers.run_on_disk import CREATED, DATASET, standard_recipe, write_run

KNOBS: list[dict[str, Any]] = [
    {"name": "epsilon", "path": "id_loss.smoothing", "title": "Smoothing ε", "kind": "float", "low": 0.0, "high": 0.3,
     "log": False, "or": None, "choices": [], "default": 0.1},
    {"name": "margin", "path": "triplet.margin", "title": "Triplet margin", "kind": "float", "low": 0.0, "high": 1.0,
     "log": False, "or": None, "choices": [], "default": 0.3},
    {"name": "center", "path": "center.weight", "title": "Centre weight", "kind": "float", "low": 1e-5, "high": 1e-2,
     "log": True, "or": 0, "choices": [], "default": 5e-4},
]  # fmt: skip
CHOICE: dict[str, Any] = {
    "name": "neck", "path": "neck.kind", "title": "Neck", "kind": "choice", "low": 0.0, "high": 0.0, "log": False,
    "or": None, "choices": ["none", "bnneck"], "default": "bnneck",
}  # fmt: skip
MAP: dict[str, str] = {"metric": "mAP", "direction": "maximize"}
SECONDS: dict[str, str] = {"metric": "train_seconds", "direction": "minimize"}
SPLIT = {"identities": 0.25, "seed": 0}
VALIDATION = DATASET.model_copy(update={"split": SplitRecord.model_validate(SPLIT), "fingerprint": "fedcba9876543210"})
RECIPE = standard_recipe()
MakeStudy = Callable[..., Path]


@pytest.fixture
def make_study(tmp_path: Path) -> MakeStudy:
    """A function that writes a fabricated study under tmp_path and returns its folder."""

    def make(**options: Any) -> Path:
        return write_study(tmp_path / "output", **options)

    return make


def write_study(
    output: Path,
    trials: int = 60,
    knobs: Sequence[Mapping[str, Any]] = KNOBS,
    objectives: Sequence[Mapping[str, str]] = (MAP,),
    seeds: Sequence[int] = (0, 1),
    gain: float = 0.02,
    fresh: int = 5,
    compared: bool = True,
    outcomes: Mapping[int, str] | None = None,
    name: str = "losses",
) -> Path:
    """A study of random trials in which the margin matters most, with the paper's defaults as trial 0.

    Every ninth trial is pruned, the 20th diverged and the 23rd failed; `outcomes` gives trials another state. The
    winner's fresh seeds are `gain` better than the defaults'.
    """
    random = np.random.default_rng(5)
    folder = output / "studies" / name
    folder.mkdir(parents=True)
    defaults = {knob["name"]: knob["default"] for knob in knobs}
    content: dict[str, Any] = {
        "name": name, "title": "The three losses, tuned", "question": "What do other weights gain, and is it real?",
        "command": f"reid tune studies/{name}.yaml", "created": CREATED, "yaml": f"name: {name}\n",
        "dataset": DATASET.model_dump(mode="json"), "recipe": RECIPE.model_dump(mode="json"), "knobs": list(knobs),
        "objectives": list(objectives), "tricks": [], "sampler": {"name": "tpe", "seed": 0},
        "pruner": "hyperband", "trials": 60, "seeds": list(seeds),
        "fresh_seeds": [100 + n for n in range(fresh)], "split": SPLIT,
        "storage": "sqlite:///output/studies/losses/study.db",
    }  # fmt: skip
    write_json(folder / "study.json", content, durable=False)
    table = []
    for number in range(trials):
        params = defaults if number == 0 else {knob["name"]: _draw(random, knob) for knob in knobs}
        usual = "pruned" if number % 9 == 8 else {20: "diverged", 23: "failed"}.get(number, "complete")
        state = (outcomes or {}).get(number, usual)
        table.append(_trial(output, name, number, params, state, seeds, objectives, random))
    write_json(folder / "trials.json", table, durable=False)
    complete = [trial for trial in table if trial["state"] == "complete"]
    if compared and complete:
        best = max(complete, key=lambda trial: trial["values"][0])
        write_json(
            folder / "comparison.json", _comparison(output, name, best, defaults, gain, content["fresh_seeds"], random)
        )
    if len(complete) >= 50 and compared:
        write_json(folder / "importances.json", _importances(knobs, len(objectives), len(complete)), durable=False)
    elif compared:
        why = f"{len(complete)} complete trials are too few: with fewer than 50 the methods contradict each other"
        write_json(folder / "importances.json", {"n_trials": len(complete), "refused": why}, durable=False)
    return folder


def _draw(random: np.random.Generator, knob: Mapping[str, Any]) -> Any:
    if knob["kind"] == "choice":
        return random.choice(knob["choices"]).item()
    if knob["or"] == 0 and random.uniform() < 0.2:
        return 0.0
    if knob["log"]:
        return float(10 ** random.uniform(math.log10(knob["low"]), math.log10(knob["high"])))
    return float(random.uniform(knob["low"], knob["high"]))


def _value(params: Mapping[str, Any]) -> float:
    """The true validation mAP: best at a margin of 0.55, a little better with a centre weight near 1e-3."""
    weight, margin, epsilon = (float(params.get(name, 0.0)) for name in ("center", "margin", "epsilon"))
    centre = -0.01 if not weight else -0.005 * (math.log10(weight) + 3) ** 2
    return 0.78 - 0.25 * (margin - 0.55) ** 2 + centre - 0.1 * (epsilon - 0.1) ** 2


def _trial(
    output: Path,
    name: str,
    number: int,
    params: Mapping[str, Any],
    state: str,
    seeds: Sequence[int],
    objectives: Sequence[Mapping[str, str]],
    random: np.random.Generator,
) -> dict[str, Any]:
    if state == "waiting":
        return {"number": number, "state": state, "values": None, "params": {}, "runs": [], "intermediate": [],
                "reason": "", "seconds": None, "started": None, "ended": None}  # fmt: skip
    asked = seeds if state == "complete" else seeds[:1]
    runs = [TrialRun(seed=seed, signature=digest([name, number, seed])) for seed in asked]
    values = [_value(params) + random.normal(0, 0.006) for _ in asked]
    seconds = 60 + 40 * float(params.get("margin", 0.3)) + random.normal(0, 3)
    ran = {"complete": "finished", "pruned": "stopped"}.get(state, state)
    for run, value in zip(runs, values, strict=True):
        write_run(output, run.signature, RECIPE, run.seed, state=ran, mAP=value, seconds=seconds, dataset=VALIDATION)
    mean = float(np.mean(values))
    epochs = {"complete": 12, "pruned": 4, "diverged": 2, "running": 6}.get(state, 0)
    every = {"mAP": mean, "train_seconds": seconds}
    return {
        "number": number,
        "state": "pruned" if state == "diverged" else state,
        "values": [every[one["metric"]] for one in objectives] if state == "complete" else None,
        "params": dict(params),
        "runs": [run.model_dump() for run in runs],
        "intermediate": [
            {"step": epoch, "value": mean * (1 - 0.7 * math.exp(-epoch / 3))} for epoch in range(2, epochs + 1, 2)
        ],
        "reason": {"diverged": "diverged: the ID loss is NaN at iteration 311", "failed": "CUDA out of memory",
                   "pruned": "pruned at epoch 4: below the best third"}.get(state, ""),
        "seconds": len(asked) * seconds,
        "started": CREATED,
        "ended": "2026-01-01T00:10:00+00:00",
    }  # fmt: skip


def _comparison(
    output: Path,
    name: str,
    best: Mapping[str, Any],
    defaults: Mapping[str, Any],
    gain: float,
    fresh: Sequence[int],
    random: np.random.Generator,
) -> dict[str, Any]:
    shift = random.normal(0, 0.01, len(fresh))
    sides: dict[str, Any] = {}
    for side, params, more in (("winner", best["params"], gain), ("defaults", defaults, 0.0)):
        runs = [TrialRun(seed=seed, signature=digest([name, side, seed])) for seed in fresh]
        values = (0.71 + more + shift + random.normal(0, 0.006, len(fresh))).tolist()
        for run, value in zip(runs, values, strict=True):
            write_run(output, run.signature, RECIPE, run.seed, mAP=value, seconds=90.0)
        sides[side] = {"params": dict(params), "runs": [run.model_dump() for run in runs], "values": values}
    sides["winner"]["trial"] = best["number"]
    again = [TrialRun(seed=seed, signature=digest([name, "again", seed])) for seed in fresh]
    values = [_value(best["params"]) + random.normal(0, 0.006) for _ in fresh]
    for run, value in zip(again, values, strict=True):
        write_run(output, run.signature, RECIPE, run.seed, mAP=value, seconds=90.0, dataset=VALIDATION)
    sides["rerun"] = {"runs": [run.model_dump() for run in again], "values": values}
    rerun = float(np.mean(values))
    gap = np.array(sides["winner"]["values"]) - np.array(sides["defaults"]["values"])
    return {"metric": "mAP", "direction": "maximize", "created": CREATED, **sides,
            "difference": float(gap.mean()), "low": None, "high": None, "p": None, "pairs": len(fresh),
            "seeds": list(fresh), "optimism": best["values"][0] - rerun,
            "validation_best": best["values"][0]}  # fmt: skip


def _importances(knobs: Sequence[Mapping[str, Any]], objectives: int, trials: int) -> dict[str, Any]:
    shares = dict(zip([knob["name"] for knob in knobs], (0.05, 0.75, 0.18, 0.02), strict=False))
    found = {
        method: {
            name: {
                "importance": share,
                "low": max(share - width, 0),
                "high": min(share + width, 1),
                "p": 2 / 120 if share > 0.1 else 0.8,
            }
            for name, share in shares.items()
        }
        for method, width in (("fanova", 0.06), ("ped_anova", 0.15))
    }
    others = [found] * (objectives - 1)
    return {"n_trials": trials, **found} | ({"others": others} if others else {})


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Rewrite a JSON file."""
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
