"""The training loop: one visible generator, from a recipe and a seed to events."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from reid.data import Dataset, DecodedDataset
from reid.data.augmentation import augment, draw
from reid.data.sampler import identity_batches
from reid.data.training_images import TrainingImages
from reid.errors import InputError
from reid.evaluation.features import evaluate
from reid.models import build_model, load_pretrained, pretrained_file, require_backbone
from reid.recipe import Recipe
from reid.seeding import numpy_generator, seed_of, torch_generator
from reid.training.diagnostics.conflict import EVERY
from reid.training.ema import Average
from reid.training.events import Checkpoint, Diverged, Evaluated, Event, Steps, TrainingState
from reid.training.optimizer import build_optimizer, set_learning_rate
from reid.training.schedule import learning_rate
from reid.training.step import step_fields, train_step

CHUNK = 20  # iterations between two looks at the device: often enough to show, rarely enough not to stall it


def train(
    recipe: Recipe,
    data: DecodedDataset,
    seed: int,
    device: torch.device,
    resume: TrainingState | None = None,
    conflict_every: int = EVERY,
) -> Iterator[Event]:
    """Train `recipe` on `data` and yield events: what was loaded of pretrained weights, if any were asked for, steps,
    a checkpoint an epoch, evaluations where they are due.

    `resume` is the state of a Checkpoint; what follows is then bit-identical on a CPU to a training that was
    never interrupted. An evaluation that is due after the resumed epoch is yielded again. Gradient conflict is
    measured at iteration 1 and every `conflict_every` after it, never for 0; it changes nothing that is trained.
    Raises InputError as `require_trainable` does.
    """
    require_trainable(recipe, data.dataset)
    if recipe.streams.variant:
        seed = seed_of(seed, "variant", recipe.streams.variant)
    labels = data.dataset.train_labels
    num_classes = data.dataset.num_classes
    model = build_model(recipe, num_classes, seed)
    loaded = load_pretrained(model, recipe)
    if loaded is not None and resume is None:
        yield loaded
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = build_optimizer(model.named_parameters(), recipe.optimizer, recipe.schedule.base)
    generator = torch_generator(seed, "weights of the centers")
    centers = torch.randn(num_classes, model.dim, generator=generator).to(device)
    average = Average(model, recipe.optimizer.ema) if recipe.optimizer.ema > 0 else None
    evaluated = model if average is None else average.model
    first, iteration = 1, 0
    if resume is not None:
        evaluated.load_state_dict(resume.model)
        model.load_state_dict(resume.trained)
        optimizer.load_state_dict(resume.optimizer)
        centers.copy_(resume.centers)
        first, iteration = resume.epoch + 1, resume.iteration
        if _is_due(recipe, resume.epoch):
            yield Evaluated(resume.epoch, evaluate(evaluated, data, recipe, device))

    images = TrainingImages(data.pixels["train"], device)
    device_labels = torch.from_numpy(labels).to(device)
    for epoch in range(first, recipe.schedule.epochs + 1):
        rate = learning_rate(recipe.schedule, epoch)
        set_learning_rate(optimizer, rate)
        batches = identity_batches(
            labels, recipe.batch.identities, recipe.batch.images, numpy_generator(seed, "identities", epoch)
        )
        draws = draw(recipe, batches.size, seed, epoch)
        model.train()
        if epoch <= recipe.schedule.freeze_epochs:
            model.base.eval()
        measured: list[dict[str, Tensor]] = []
        for number, (positions, batch) in enumerate(images.batches(batches)):
            start = number * len(positions)
            augmented = augment(batch, draws.part(start, start + len(positions), device), recipe)
            due = conflict_every > 0 and (iteration + len(measured)) % conflict_every == 0
            measured.append(train_step(model, optimizer, centers, augmented, device_labels[positions], recipe, due))
            if average is not None:
                average.update(model, iteration + len(measured))
            if len(measured) == CHUNK or number == len(batches) - 1:
                rows = _rows(measured, step_fields(recipe), rate, iteration, epoch)
                measured, iteration = [], iteration + len(rows)
                yield Steps(rows)
                finite = np.isfinite(rows["total_loss"])
                if not finite.all():
                    bad = rows[~finite].iloc[0]
                    yield Diverged(epoch, f"total loss is {bad['total_loss']} at iteration {int(bad['iteration'])}")
                    return
        state = TrainingState(
            epoch, iteration, evaluated.state_dict(), model.state_dict(), optimizer.state_dict(), centers
        )
        yield Checkpoint(epoch, state)
        if _is_due(recipe, epoch):
            try:
                ranking = evaluate(evaluated, data, recipe, device)
            except FloatingPointError as error:
                yield Diverged(epoch, str(error))
                return
            yield Evaluated(epoch, ranking)


def require_trainable(recipe: Recipe, dataset: Dataset) -> None:
    """Raise InputError where `recipe` cannot train on `dataset`: too few identities, or trunk or weights absent; and
    where no query has a match, so that the training could not be evaluated.
    """
    if dataset.test_only:
        raise InputError(f"{dataset.name}: has no training images, it is for testing only; train on another data set")
    dataset.require_evaluable()
    if dataset.num_classes < recipe.batch.identities:
        raise InputError(
            f"batch.identities: a batch needs {recipe.batch.identities} identities, "
            f"{dataset.name} has {dataset.num_classes} to train on; lower batch.identities"
        )
    pretrained_file(recipe.backbone)
    require_backbone(recipe.backbone, recipe.image.size)


def _is_due(recipe: Recipe, epoch: int) -> bool:
    return epoch == recipe.schedule.epochs or epoch % recipe.evaluation.every == 0


def _rows(
    measured: list[dict[str, Tensor]], columns: tuple[str, ...], rate: float, before: int, epoch: int
) -> pd.DataFrame:
    """A row an iteration, NaN where a column was not measured; one transfer from the device for all of them."""
    absent = torch.full((), torch.nan, device=measured[0]["total_loss"].device)
    step = [torch.stack([row.get(name, absent).float() for name in columns[1:]]) for row in measured]
    rows = pd.DataFrame(torch.stack(step).cpu().numpy(), columns=list(columns[1:]))
    rows.insert(0, columns[0], np.float32(rate))
    rows.insert(0, "epoch", np.int32(epoch))
    rows.insert(0, "iteration", np.arange(before + 1, before + 1 + len(rows), dtype=np.int32))
    return rows
