"""Training throughput: ours, the reference's way of loading, and the bare network step, in turn in one process.

ours: the whole loop of `reid.training.train`, as a grid runs it, records included.
reference loading: a DataLoader whose workers decode and augment JPEG files with torchvision, then the same step.
bare step: forward, loss, backward and optimiser on one batch that never changes; the limit.

    python -m benchmarks.training            # narrow ResNet at 64x32 on a CPU, or ResNet-50 at 256x128 in bf16 on a GPU
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from reid.data import DecodedDataset, load_dataset, open_dataset
from reid.data.augmentation import augment, draw
from reid.data.sampler import identity_batches
from reid.data.synthetic import SyntheticSpec, synthesize
from reid.execution.devices import usable_cores
from reid.models import build_model
from reid.recipe import Recipe
from reid.seeding import numpy_generator
from reid.training import Steps, train
from reid.training.optimizer import build_optimizer
from reid.training.step import train_step
from reid.tricks import TRICKS

TOY = {
    "image.size": (64, 32), "augmentation.pad": 4, "batch.identities": 8, "backbone.name": "resnet10_narrow",
    "backbone.stem_relu": True, "schedule.base": 3e-3,
}  # fmt: skip


class Files(Dataset[tuple[Tensor, int]]):
    """JPEG files through torchvision's transforms, as reid-strong-baseline builds them."""

    def __init__(self, data: DecodedDataset, recipe: Recipe) -> None:
        self.paths, self.labels = data.dataset.train.paths, data.dataset.train_labels
        size, image = recipe.image.size, recipe.image
        self.transform = transforms.Compose(
            [
                transforms.Resize(size),
                transforms.RandomHorizontalFlip(recipe.augmentation.flip),
                transforms.Pad(recipe.augmentation.pad),
                transforms.RandomCrop(size),
                transforms.ToTensor(),
                transforms.Normalize(image.mean, image.std),
                transforms.RandomErasing(recipe.erasing.probability, recipe.erasing.area, value=recipe.erasing.fill),
            ]
        )

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.open(self.paths[index]).convert("RGB")), int(self.labels[index])


class Bench:
    """One recipe on one data set; each method trains about `steps` iterations and returns images per second."""

    def __init__(self, recipe: Recipe, data: DecodedDataset, device: torch.device, steps: int) -> None:
        self.recipe, self.data, self.device, self.steps = recipe, data, device, steps
        self.batch = recipe.batch.identities * recipe.batch.images

    def ours(self) -> float:
        events = train(self.recipe, self.data, 0, self.device)
        first = next(event for event in events if isinstance(event, Steps))  # warm: model built, kernels chosen
        done, started = 0, time.perf_counter()
        while done < self.steps:
            event = next(events)
            done += len(event.rows) if isinstance(event, Steps) else 0
        assert len(first.rows)
        return done * self.batch / (time.perf_counter() - started)

    def _throughput(self, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
        model = build_model(self.recipe, self.data.dataset.num_classes)
        model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = build_optimizer(model.named_parameters(), self.recipe.optimizer, self.recipe.schedule.base)
        centers = torch.randn(self.data.dataset.num_classes, model.dim, device=self.device)
        warm = 10
        for number, (images, labels) in enumerate(batches):
            if number == warm:
                self._wait()
                started = time.perf_counter()
            if number == warm + self.steps:
                break
            images = images.to(self.device, non_blocking=True)
            train_step(model, optimizer, centers, images, labels.to(self.device), self.recipe)
        self._wait()
        return self.steps * self.batch / (time.perf_counter() - started)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _positions(self) -> Iterator[list[int]]:
        labels, batch = self.data.dataset.train_labels, self.recipe.batch
        for epoch in range(1, 10_000):
            generator = numpy_generator(0, "identities", epoch)
            yield from identity_batches(labels, batch.identities, batch.images, generator).tolist()

    def reference_loading(self) -> float:
        workers = usable_cores()
        loader: Any = DataLoader(
            Files(self.data, self.recipe), batch_sampler=self._positions(), num_workers=workers,
            pin_memory=self.device.type == "cuda", multiprocessing_context="fork",
        )  # fmt: skip
        return self._throughput(iter(loader))

    def bare_step(self) -> float:
        positions = torch.tensor(next(self._positions()))
        pixels = torch.from_numpy(self.data.pixels["train"])[positions]
        images = augment(pixels, draw(self.recipe, self.batch, 0, 1), self.recipe).to(self.device)
        labels = torch.from_numpy(self.data.dataset.train_labels)[positions].to(self.device)
        return self._throughput((images, labels) for _ in iter(int, 1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        torch.set_num_threads(1)
    recipe = Recipe().set({"backbone.pretrained": "none", "schedule.epochs": 10_000, "evaluation.every": 10_000})
    for trick in TRICKS.values():
        recipe = trick.apply(recipe)
    if device.type == "cpu":
        recipe = recipe.set(TOY)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        synthesize(root, SyntheticSpec(train_identities=120, test_identities=4, cameras=6, images=16, seed=0))
        data = open_dataset(load_dataset("market1501", root), recipe.image.size, Path(folder) / "cache")
        bench = Bench(recipe, data, device, options.steps)
        compared: dict[str, Callable[[], float]] = {
            "ours": bench.ours,
            "reference loading": bench.reference_loading,
            "bare step": bench.bare_step,
        }
        results: dict[str, list[float]] = {name: [] for name in compared}
        for _ in range(options.repeats):
            for name, measure in compared.items():
                results[name].append(measure())
    height, width = recipe.image.size
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, 1 of {usable_cores()} cores for the step"
    print(f"{recipe.backbone.name} at {height}x{width}, batch {bench.batch}, {name}, torch {torch.__version__}")
    for key, values in results.items():
        print(f"{key:>24}: median {median(values):9.1f} images/s ({min(values):.1f} to {max(values):.1f})")
    for key in ("reference loading", "bare step"):
        ratios = [ours / theirs for ours, theirs in zip(results["ours"], results[key], strict=True)]
        print(f"{'ours / ' + key:>24}: median {median(ratios):9.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
