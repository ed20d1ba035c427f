"""What the dynamics cost a step: the recording of gradient conflict, and the indices at the end of a run.

The same training with conflict measured at every iteration, and never, in turn in one process; medians of paired
ratios. Its excess is what one measurement costs, and a twentieth of that what a run pays, that measures every 20
iterations: too little to be told from noise when timed directly. Limits: conflict under 2 % of a step, all under 3 %.

    python -m benchmarks.dynamics            # narrow ResNet at 64x32 on a CPU, or ResNet-50 at 256x128 in bf16 on a GPU
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import pandas as pd
import torch

from benchmarks.training import TOY
from reid.data import DecodedDataset, load_dataset, open_dataset
from reid.data.synthetic import SyntheticSpec, synthesize
from reid.recipe import Recipe
from reid.training import Steps, measure_dynamics, train
from reid.training.diagnostics.conflict import EVERY
from reid.tricks import TRICKS


class Runner:
    """A training that is kept going; `steps` times its next iterations."""

    def __init__(self, recipe: Recipe, data: DecodedDataset, device: torch.device, every: int) -> None:
        self.device, self.events = device, train(recipe, data, 0, device, conflict_every=every)
        self.curves: list[pd.DataFrame] = []
        self.steps(EVERY)  # warm: model built, kernels chosen

    def steps(self, count: int) -> float:
        """Seconds a step over at least `count` iterations, whole chunks."""
        done, started = 0, time.perf_counter()
        while done < count:
            event = next(self.events)
            if isinstance(event, Steps):
                self.curves.append(event.rows)
                done += len(event.rows)
        return (time.perf_counter() - started) / done


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    recipe = Recipe().set({"backbone.pretrained": "none", "schedule.epochs": 10_000, "evaluation.every": 10_000})
    recipe = TRICKS["bnneck"].apply(recipe)
    if device.type == "cpu":
        torch.set_num_threads(1)
        recipe = recipe.set(TOY)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        synthesize(root, SyntheticSpec(train_identities=80, test_identities=4, cameras=6, images=16, seed=0))
        data = open_dataset(load_dataset("market1501", root), recipe.image.size, Path(folder) / "cache")
        on, off, twin = (Runner(recipe, data, device, every) for every in (1, 0, 0))
        ratios: dict[str, list[float]] = {"conflict": [], "noise": []}
        step = []
        for _ in range(options.repeats):
            times = {name: runner.steps(options.steps) for name, runner in (("on", on), ("off", off), ("twin", twin))}
            ratios["conflict"].append(times["on"] / times["off"])
            ratios["noise"].append(times["twin"] / times["off"])
            step.append(times["off"])
    curves = pd.concat(on.curves, ignore_index=True)
    started = time.perf_counter()
    measure_dynamics(curves)
    indices = (time.perf_counter() - started) / len(curves) / median(step)
    height, width = recipe.image.size
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu, 1 thread"
    print(f"{recipe.backbone.name} at {height}x{width}, batch {recipe.batch.identities * recipe.batch.images}, {name}")
    print(f"step without dynamics: median {1000 * median(step):.2f} ms over {options.repeats} x {options.steps} steps")
    labels = {"conflict": "conflict at every step / off", "noise": "off / off (noise)"}
    for key, values in ratios.items():
        quarters = pd.Series(values).quantile([0.25, 0.75]).tolist()
        print(f"{labels[key]}: median {median(values):.4f} (quartiles {quarters[0]:.4f} to {quarters[1]:.4f})")
    share = (median(ratios["conflict"]) - 1) / EVERY
    print(f"conflict every {EVERY} iterations / off: {1 + share:.4f}")
    print(f"all indices at the end: {100 * indices:.3f} % of a step, over {len(curves)} iterations")
    print(f"all dynamics / off: {1 + share + indices:.4f}")


if __name__ == "__main__":
    main()
