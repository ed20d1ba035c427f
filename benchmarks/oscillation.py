"""Which index tells arms apart that are known to differ? Simulated pairs of losses, and trainings without and with
BNNeck.

Separation is Cohen's d of two groups of seeds (difference of means over the pooled standard deviation), signed so that
plus means "more where the losses fight". An index is as good as the weakest of its separations; a control, in which
only the noise is larger, should leave it where it is.

    python -m benchmarks.oscillation         # draws two data sets and trains 24 narrow networks, about 5 minutes
"""

import argparse
import math
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.training import TOY
from reid.data import DecodedDataset, load_dataset, open_dataset
from reid.data.synthetic import SyntheticSpec, synthesize
from reid.recipe import Recipe
from reid.training import INDICES, Steps, measure_dynamics, oscillation, train
from reid.tricks import TRICKS

Curves = tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]
ITERATIONS = 240
SIZE = (64, 32)
DATA = {
    "A": SyntheticSpec(train_identities=96, test_identities=4, cameras=6, images=12, seed=11),
    "B": SyntheticSpec(train_identities=32, test_identities=4, cameras=4, images=16, seed=5),
}


def simulated(kind: str, seed: int) -> Curves:
    """Two losses that fall under batch noise they share in part, and what `kind` adds to them."""
    random = np.random.default_rng(seed)
    time = np.arange(ITERATIONS) / ITERATIONS
    fall = np.exp(-2 * time)
    shared, own = random.normal(size=ITERATIONS), random.normal(size=(2, ITERATIONS))
    spread = 0.12 if kind == "noisier" else 0.06
    one, two = (4 * fall * (1 + spread * (0.6 * shared + 0.8 * part)) for part in own)
    two = two / 4
    wave = np.sin(2 * np.pi * (6 * time + random.uniform()))
    if kind == "both waver":
        one, two = one + 0.35 * wave, two - 0.09 * wave
    elif kind == "triplet wavers":
        two = two + 0.12 * wave
    elif kind == "triplet rises":
        two = 0.4 + 0.5 * time + 0.06 * random.normal(size=ITERATIONS)
    return one, two


def trained(recipe: Recipe, data: DecodedDataset, seed: int) -> dict[str, float]:
    rows = [event.rows for event in train(recipe, data, seed, torch.device("cpu")) if isinstance(event, Steps)]
    return measure_dynamics(pd.concat(rows, ignore_index=True))


def recipes(iterations_an_epoch: int, others: bool) -> tuple[Recipe, Recipe]:
    """Without and with BNNeck, about ITERATIONS long; with no other trick, or with all."""
    epochs = round(ITERATIONS / iterations_an_epoch)
    recipe = Recipe().set(
        {**TOY, "backbone.pretrained": "none", "schedule.epochs": epochs, "schedule.milestones": (round(0.7 * epochs),)}
    )
    for trick in TRICKS.values() if others else ():
        if trick.name != "bnneck":
            recipe = trick.apply(recipe, **({"epochs": 2} if trick.name == "warmup" else {}))
    return recipe, TRICKS["bnneck"].apply(recipe)


def groups(seeds: int, folder: Path) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """By scenario, the indices of the arm that fights and of the one that does not, a row a seed."""
    found: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    for kind in ("both waver", "triplet wavers", "triplet rises", "noisier"):
        pair = (pd.DataFrame([oscillation(*simulated(k, seed)) for seed in range(20)]) for k in (kind, "calm"))
        found[kind] = (next(pair), next(pair))
    for (name, spec), others in product(DATA.items(), (False, True)):
        root = folder / name
        if not root.exists():
            synthesize(root, spec)
        data = open_dataset(load_dataset("market1501", root), SIZE, folder / "cache")
        both = recipes(len(data.pixels["train"]) // 32, others)
        measured = [pd.DataFrame([trained(recipe, data, seed) for seed in range(seeds)]) for recipe in both]
        found[f"{name}, {'all' if others else 'no'} other tricks"] = (measured[0], measured[1])
    return found


def separation(one: "pd.Series[float]", two: "pd.Series[float]") -> float:
    pooled = math.sqrt((one.var() + two.var()) / 2)
    return (one.mean() - two.mean()) / pooled if pooled > 0 else math.nan


def show(title: str, cell: Callable[[str, str], str], names: list[str]) -> None:
    print(f"\n| {title} | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for index in INDICES[1:]:
        print(f"| {index} | " + " | ".join(cell(index, name) for name in names) + " |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = groups(options.seeds, Path(folder))

    def means(index: str, name: str) -> str:
        return " → ".join(f"{group[index].mean():.3f} ± {group[index].std():.3f}" for group in found[name])

    def distance(index: str, name: str) -> str:
        one, two = found[name]
        return f"{separation(one[index], two[index]):+.1f}" if index in one else "–"

    show("separation, d", distance, list(found))
    show("mean ± sd, without → with BNNeck", means, [name for name in found if "tricks" in name])


if __name__ == "__main__":
    main()
