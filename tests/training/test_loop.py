"""The loop on a tiny data set: events, resuming, what arms share."""

import copy
import importlib
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from reid.data import DecodedDataset
from reid.errors import InputError
from reid.evaluation import evaluate
from reid.models import Loaded, build_model
from reid.recipe import Recipe
from reid.training import Checkpoint, Diverged, Evaluated, Event, Steps, TrainingState, step_fields, train
from reid.tricks import TRICKS

CPU = torch.device("cpu")
ON_TOP = {"warmup": {"epochs": 2}}


def with_tricks(recipe: Recipe, names: tuple[str, ...]) -> Recipe:
    for name in names:
        recipe = TRICKS[name].apply(recipe, **ON_TOP.get(name, {}))
    return recipe


def events_of(recipe: Recipe, data: DecodedDataset, seed: int = 0, resume: TrainingState | None = None) -> list[Event]:
    """All events; states are copied, as they share memory with the live model."""
    return [
        Checkpoint(event.epoch, copy.deepcopy(event.state)) if isinstance(event, Checkpoint) else event
        for event in train(recipe, data, seed, CPU, resume)
    ]


def same(one: Any, two: Any) -> bool:
    """Whether two nested states are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, TrainingState):
        return same(vars(one), vars(two))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


def test_events_in_order(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    events = events_of(tiny_recipe, tiny)
    kinds = [(type(e).__name__, e.epoch) for e in events if not isinstance(e, Steps | Loaded)]
    assert kinds == [("Checkpoint", 1), ("Checkpoint", 2), ("Evaluated", 2), ("Checkpoint", 3), ("Evaluated", 3)]
    rows = pd.concat([e.rows for e in events if isinstance(e, Steps)])
    assert rows["iteration"].tolist() == list(range(1, len(rows) + 1))
    assert list(rows) == ["iteration", "epoch", *step_fields(tiny_recipe)]
    assert rows["center_loss"].isna().all(), "a loss that is off is NaN"
    np.testing.assert_allclose(rows["total_loss"], rows["id_weighted"] + rows["triplet_weighted"], rtol=1e-5)
    assert rows.groupby("epoch")["learning_rate"].first().tolist() == pytest.approx([3e-3, 3e-3, 3e-4])


def test_loss_falls_and_the_weights_are_a_function_of_the_seed(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    recipe = tiny_recipe.set({"schedule.epochs": 6, "schedule.milestones": (6,)})
    one, two, other = events_of(recipe, tiny), events_of(recipe, tiny), events_of(recipe, tiny, seed=1)
    losses = pd.concat([e.rows for e in one if isinstance(e, Steps)]).groupby("epoch")["total_loss"].mean()
    assert losses.iloc[-1] < losses.iloc[0]
    states = [[e.state for e in events if isinstance(e, Checkpoint)][-1] for events in (one, two, other)]
    assert same(states[0], states[1])
    assert not same(states[0].model, states[2].model)


PAIRS = [*itertools.combinations(TRICKS, 1), *itertools.combinations(TRICKS, 2)]


TOGGLES: dict[str, dict[str, Any]] = {
    "ema": {"optimizer.ema": 0.9},
    "freeze": {"schedule.freeze_epochs": 2},
    "cosine": {"schedule.decay": "cosine"},
    "learned pooling": {"pooling.kind": "gem", "pooling.learned": True},
    "circle": {"circle.weight": 0.01},
    "colour": {"augmentation.auto_augment": 0.5, "color_jitter.probability": 0.5},
    "evaluation": {"evaluation.flip": True, "evaluation.rerank": True},
    "sgd": {"optimizer.name": "sgd"},
}


@pytest.mark.parametrize("names", [*PAIRS, tuple(TRICKS)])
def test_resuming_at_any_epoch_is_exact(tiny: DecodedDataset, tiny_recipe: Recipe, names: tuple[str, ...]) -> None:
    resumes_exactly(with_tricks(tiny_recipe, names), tiny)


@pytest.mark.parametrize("names", [*((name,) for name in TOGGLES), tuple(TOGGLES)], ids="+".join)
@pytest.mark.slow
def test_resuming_is_exact_under_every_toggle(
    tiny: DecodedDataset, tiny_recipe: Recipe, names: tuple[str, ...]
) -> None:
    for name in names:
        tiny_recipe = tiny_recipe.set(TOGGLES[name])
    resumes_exactly(with_tricks(tiny_recipe, tuple(TRICKS)), tiny)


def resumes_exactly(recipe: Recipe, tiny: DecodedDataset) -> None:
    whole = events_of(recipe, tiny)
    checkpoints = [event for event in whole if isinstance(event, Checkpoint)]
    for checkpoint in checkpoints[:-1]:
        rest = events_of(recipe, tiny, resume=copy.deepcopy(checkpoint.state))
        final = [event for event in rest if isinstance(event, Checkpoint)][-1]
        assert same(final.state, checkpoints[-1].state)
    last = [event for event in whole if isinstance(event, Evaluated)][-1]
    after_the_end = events_of(recipe, tiny, resume=copy.deepcopy(checkpoints[-1].state))
    assert len(after_the_end) == 1
    assert isinstance(after_the_end[0], Evaluated)
    np.testing.assert_array_equal(after_the_end[0].ranking.ap, last.ranking.ap)


@pytest.mark.slow
def test_all_arms_see_the_same_batches_crops_and_first_weights(
    tiny: DecodedDataset, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded where they enter the loop: positions, flips, crops, and the trunk before the first step."""
    loop = importlib.import_module("reid.training.loop")
    seen: list[list[bytes]] = []
    real_draw, real_batches, real_build = loop.draw, loop.identity_batches, loop.build_model

    def draw(*args: Any) -> Any:
        draws = real_draw(*args)
        seen[-1] += [draws.flip.numpy().tobytes(), draws.crop.numpy().tobytes()]
        return draws

    def batches(*args: Any) -> Any:
        positions = real_batches(*args)
        seen[-1].append(positions.tobytes())
        return positions

    def build(*args: Any) -> Any:
        model = real_build(*args)
        seen[-1] += [value.numpy().tobytes() for value in model.base.state_dict().values()]
        return model

    monkeypatch.setattr(loop, "draw", draw)
    monkeypatch.setattr(loop, "identity_batches", batches)
    monkeypatch.setattr(loop, "build_model", build)
    recipe = tiny_recipe.set({"schedule.epochs": 1, "schedule.milestones": ()})
    for toggle in TOGGLES.values():
        seen.append([])
        list(itertools.takewhile(lambda event: isinstance(event, Steps), train(recipe.set(toggle), tiny, 0, CPU)))
    for size in range(7):
        for names in itertools.combinations(TRICKS, size):
            seen.append([])
            events = train(with_tricks(recipe, names), tiny, 0, CPU)
            list(itertools.takewhile(lambda event: isinstance(event, Steps), events))
    assert len(seen) == 64 + len(TOGGLES)
    assert all(recorded == seen[0] for recorded in seen)
    assert len(seen[0]) > 10


def test_divergence_is_an_event_and_the_curve_reaches_it(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    events = events_of(tiny_recipe.set({"schedule.base": 1e30}), tiny)
    assert isinstance(events[-1], Diverged)
    rows = pd.concat([event.rows for event in events if isinstance(event, Steps)])
    assert not np.isfinite(rows["total_loss"].iloc[-1])
    assert f"iteration {rows[~np.isfinite(rows['total_loss'])]['iteration'].iloc[0]}" in events[-1].reason


def test_a_frozen_trunk_stays_as_it_was(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    """Weights and running statistics; the head learns meanwhile, and the trunk afterwards."""
    states = [e.state for e in events_of(tiny_recipe.set(TOGGLES["freeze"]), tiny) if isinstance(e, Checkpoint)]
    trunks = [{name: value for name, value in s.model.items() if name.startswith("base.")} for s in states]
    initial = build_model(tiny_recipe, tiny.dataset.num_classes, seed=0).state_dict()
    assert all(torch.equal(value, initial[name]) for name, value in trunks[0].items())
    assert same(trunks[0], trunks[1])
    assert not same(trunks[1], trunks[2])
    assert not torch.equal(states[0].model["classifier.weight"], initial["classifier.weight"])


def test_averaged_weights_are_evaluated_and_do_not_touch_the_training(
    tiny: DecodedDataset, tiny_recipe: Recipe
) -> None:
    plain, averaged = (events_of(tiny_recipe.set({"optimizer.ema": decay}), tiny) for decay in (0.0, 0.9))
    (ours, theirs), (first, second) = (
        [[e for e in events if isinstance(e, kind)][-1] for events in (plain, averaged)]
        for kind in (Checkpoint, Evaluated)
    )
    assert isinstance(ours, Checkpoint)
    assert isinstance(theirs, Checkpoint)
    assert same(ours.state.model, theirs.state.trained)
    assert same(ours.state.optimizer, theirs.state.optimizer)
    assert not same(theirs.state.model, theirs.state.trained)
    assert isinstance(first, Evaluated)
    assert isinstance(second, Evaluated)
    model = build_model(tiny_recipe, tiny.dataset.num_classes)
    model.load_state_dict(theirs.state.model)
    np.testing.assert_array_equal(evaluate(model, tiny, tiny_recipe, CPU).ap, second.ranking.ap)
    assert not np.array_equal(first.ranking.ap, second.ranking.ap)


def test_circle_loss_has_its_columns_and_may_stand_alone(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    alone = {"circle.weight": 0.5, "triplet.weight": 0.0, "id_loss.weight": 0.0}
    short = tiny_recipe.set({**alone, "schedule.epochs": 1, "schedule.milestones": ()})
    rows = next(e for e in events_of(short, tiny) if isinstance(e, Steps)).rows
    np.testing.assert_allclose(rows["circle_weighted"], 0.5 * rows["circle_loss"], rtol=1e-6)
    np.testing.assert_allclose(rows["total_loss"], rows["circle_weighted"], rtol=1e-6)


def test_each_loss_can_be_off(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    recipe = tiny_recipe.set({"schedule.epochs": 1, "schedule.milestones": ()})
    for field, column in (("id_loss.weight", "id_loss"), ("triplet.weight", "triplet_loss")):
        rows = next(e for e in events_of(recipe.set({field: 0.0}), tiny) if isinstance(e, Steps)).rows
        assert rows[column].isna().all()
        assert np.isfinite(rows["total_loss"]).all()


def test_too_few_identities(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    with pytest.raises(InputError, match=r"batch\.identities: a batch needs 13 identities, tiny has 12"):
        next(iter(train(tiny_recipe.set({"batch.identities": 13}), tiny, 0, CPU)))


def test_images_in_host_memory_train_the_same_network(
    tiny: DecodedDataset, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe.set({"schedule.epochs": 2, "schedule.milestones": ()})
    resident = [event for event in events_of(recipe, tiny) if isinstance(event, Checkpoint)][-1].state.model
    monkeypatch.setattr("reid.data.training_images.stay_on_host", lambda *_: True)
    hosted = [event for event in events_of(recipe, tiny) if isinstance(event, Checkpoint)][-1].state.model
    assert all(torch.equal(resident[name], hosted[name]) for name in resident)


def test_other_streams_are_another_training_and_nothing_else(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    def trained(variant: int) -> TrainingState:
        events = events_of(tiny_recipe.set({"streams.variant": variant}), tiny)
        return [event.state for event in events if isinstance(event, Checkpoint)][-1]

    assert same(trained(0), [e.state for e in events_of(tiny_recipe, tiny) if isinstance(e, Checkpoint)][-1])
    assert not same(trained(0).model, trained(1).model)
