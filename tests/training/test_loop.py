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
from reid.recipe import Recipe
from reid.training import STEP_FIELDS, Checkpoint, Diverged, Evaluated, Event, Steps, chance_level, train
from reid.tricks import TRICKS

CPU = torch.device("cpu")
ON_TOP = {"warmup": {"epochs": 2}}


def with_tricks(recipe: Recipe, names: tuple[str, ...]) -> Recipe:
    for name in names:
        recipe = TRICKS[name].apply(recipe, **ON_TOP.get(name, {}))
    return recipe


def events_of(recipe: Recipe, data: DecodedDataset, seed: int = 0, resume: dict[str, Any] | None = None) -> list[Event]:
    """All events; states are copied, as they share memory with the live model."""
    return [
        Checkpoint(event.epoch, copy.deepcopy(event.state)) if isinstance(event, Checkpoint) else event
        for event in train(recipe, data, seed, CPU, resume)
    ]


def same(one: Any, two: Any) -> bool:
    """Whether two nested states are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


def test_events_in_order(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    events = events_of(tiny_recipe, tiny)
    kinds = [(type(e).__name__, e.epoch) for e in events if not isinstance(e, Steps)]
    assert kinds == [("Checkpoint", 1), ("Checkpoint", 2), ("Evaluated", 2), ("Checkpoint", 3), ("Evaluated", 3)]
    rows = pd.concat([e.rows for e in events if isinstance(e, Steps)])
    assert rows["iteration"].tolist() == list(range(1, len(rows) + 1))
    assert list(rows) == ["iteration", "epoch", *STEP_FIELDS]
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
    assert not same(states[0]["model"], states[2]["model"])


PAIRS = [*itertools.combinations(TRICKS, 1), *itertools.combinations(TRICKS, 2)]


@pytest.mark.parametrize("names", [*PAIRS, tuple(TRICKS)])
def test_resuming_at_any_epoch_is_exact(tiny: DecodedDataset, tiny_recipe: Recipe, names: tuple[str, ...]) -> None:
    recipe = with_tricks(tiny_recipe, names)
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


def test_all_64_arms_see_the_same_batches_crops_and_first_weights(
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
    for size in range(7):
        for names in itertools.combinations(TRICKS, size):
            seen.append([])
            events = train(with_tricks(recipe, names), tiny, 0, CPU)
            list(itertools.takewhile(lambda event: isinstance(event, Steps), events))
    assert len(seen) == 64
    assert all(recorded == seen[0] for recorded in seen)
    assert len(seen[0]) > 10


def test_divergence_is_an_event_and_the_curve_reaches_it(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    events = events_of(tiny_recipe.set({"schedule.base": 1e30}), tiny)
    assert isinstance(events[-1], Diverged)
    rows = pd.concat([event.rows for event in events if isinstance(event, Steps)])
    assert not np.isfinite(rows["total_loss"].iloc[-1])
    assert f"iteration {rows[~np.isfinite(rows['total_loss'])]['iteration'].iloc[0]}" in events[-1].reason


def test_each_loss_can_be_off(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    recipe = tiny_recipe.set({"schedule.epochs": 1, "schedule.milestones": ()})
    for field, column in (("id_loss.weight", "id_loss"), ("triplet.weight", "triplet_loss")):
        rows = next(e for e in events_of(recipe.set({field: 0.0}), tiny) if isinstance(e, Steps)).rows
        assert rows[column].isna().all()
        assert np.isfinite(rows["total_loss"]).all()


def test_too_few_identities(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    with pytest.raises(InputError, match=r"batch\.identities: a batch needs 13 identities, tiny has 12"):
        next(iter(train(tiny_recipe.set({"batch.identities": 13}), tiny, 0, CPU)))


class TestChanceLevel:
    ROWS = pd.DataFrame({"id_loss": [4.2, 4.2], "accuracy": [0.0, 0.02]})

    def test_all_three_at_chance(self) -> None:
        assert chance_level(self.ROWS, 64, mAP=0.06, random_mAP=0.05) == (
            "chance level: mAP 6.0 % where a random order scores 5.0 %"
        )

    def test_any_one_above_is_learning(self) -> None:
        assert chance_level(self.ROWS, 64, mAP=0.16, random_mAP=0.05) is None
        assert chance_level(self.ROWS.assign(id_loss=3.9), 64, mAP=0.06, random_mAP=0.05) is None
        assert chance_level(self.ROWS.assign(accuracy=0.2), 64, mAP=0.06, random_mAP=0.05) is None

    def test_without_an_id_loss_the_ranking_decides(self) -> None:
        assert chance_level(self.ROWS.assign(id_loss=np.nan), 64, mAP=0.06, random_mAP=0.05) is not None
