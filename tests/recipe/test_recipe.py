from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reid.recipe import Recipe
from reid.recipe.yaml import load
from reid.store.run_records import RecipeRecord
from reid.tricks import TRICKS


def test_default_is_the_papers_standard_baseline() -> None:
    flat = Recipe().flat()
    assert flat["image.size"] == (256, 128)
    assert (flat["batch.identities"], flat["batch.images"]) == (16, 4)
    assert (flat["schedule.base"], flat["schedule.epochs"], flat["schedule.milestones"]) == (3.5e-4, 120, (40, 70))
    assert (flat["optimizer.weight_decay"], flat["triplet.margin"]) == (5e-4, 0.3)
    assert flat["backbone.last_stride"] == 2
    assert flat["neck.kind"] == "none"
    assert flat["erasing.probability"] == flat["id_loss.epsilon"] == flat["center.weight"] == 0
    assert flat["schedule.warmup_epochs"] == 0


def test_recipe_is_frozen_and_knows_its_fields() -> None:
    with pytest.raises(ValidationError):
        Recipe().image.size = (1, 1)  # type: ignore[misc]
    with pytest.raises(KeyError, match=r"image\.width"):
        Recipe().set({"image.width": 3})
    with pytest.raises(ValidationError):
        Recipe().set({"triplet.margin": -1.0})
    with pytest.raises(ValidationError, match="are all 0"):
        Recipe().set({"triplet.weight": 0, "id_loss.weight": 0})


def test_the_knobs_of_re_ranking_are_the_papers_and_have_bounds() -> None:
    evaluation = Recipe().evaluation
    assert (evaluation.rerank_k1, evaluation.rerank_k2, evaluation.rerank_lambda) == (20, 6, 0.3)
    assert Recipe().set({"evaluation.rerank_k1": 6}).evaluation.rerank_k2 == 6
    with pytest.raises(ValidationError, match="rerank_k2 must be at most rerank_k1, found 6 and 5"):
        Recipe().set({"evaluation.rerank_k1": 5})
    for field, value in (("rerank_k1", 0), ("rerank_k2", 0), ("rerank_lambda", 1.01), ("rerank_lambda", -0.1)):
        with pytest.raises(ValidationError, match=field):
            Recipe().set({f"evaluation.{field}": value})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schedule.milestones": (70, 40)}, r"milestones must ascend and be within the 120 epochs, found \[70, 40\]"),
        ({"schedule.milestones": (40, 40)}, "milestones must ascend"),
        ({"schedule.milestones": (40, 121)}, "be within the 120 epochs"),
        ({"schedule.epochs": 60}, r"be within the 60 epochs, found \[40, 70\]; set them too, to \[\] for none"),
        ({"schedule.warmup_epochs": 1}, "a warm-up of one epoch is none; found 1"),
        ({"erasing.area": (0.4, 0.02)}, r"area must be the smallest and the largest share, .*found \[0\.4, 0\.02\]"),
    ],
)
def test_what_would_do_nothing_or_something_else_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe().set(fields)
    recorded = Recipe().model_dump(mode="json")
    for path, value in fields.items():
        section, _, field = path.partition(".")
        recorded[section][field] = list(value) if isinstance(value, tuple) else value
    assert RecipeRecord(recorded).load().flat().items() >= fields.items(), "what was trained once is still read"


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule.milestones": ()},
        {"schedule.milestones": (120,)},
        {"schedule.epochs": 2, "schedule.decay": "cosine"},
        {"schedule.warmup_epochs": 2},
        {"erasing.area": (0.2, 0.2)},
    ],
)
def test_what_does_something_is_not(fields: dict[str, object]) -> None:
    assert Recipe().set(fields).flat().items() >= fields.items()


@given(st.floats(0, 1), st.sampled_from(["soft", 0.0, 0.3]), st.integers(1, 500))
def test_signature_follows_content(epsilon: float, margin: float | str, epochs: int) -> None:
    fields = {"id_loss.epsilon": epsilon, "triplet.margin": margin, "schedule.epochs": 70 + epochs}
    recipe = Recipe().set(fields)
    assert recipe == Recipe().set(dict(reversed(fields.items())))
    assert recipe.signature() == Recipe.model_validate(recipe.model_dump(mode="json")).signature()
    assert (recipe.signature() == Recipe().signature()) == (recipe == Recipe())
    assert Recipe().set(recipe.flat()) == recipe


def test_the_recipe_for_published_checkpoints_is_all_six_tricks() -> None:
    recipe = Recipe()
    for trick in TRICKS.values():
        recipe = trick.apply(recipe)
    file = Path(__file__).parents[2] / "experiments" / "recipes" / "strong-baseline.yaml"
    assert load(file, Recipe) == recipe.set({"backbone.pretrained": "none"})


def test_the_first_streams_are_signed_as_before_there_were_others() -> None:
    assert Recipe().signature() == "11fdbda6ba440594"
    assert "streams" not in Recipe().model_dump()
    other = Recipe().set({"streams.variant": 1})
    assert other.signature() != Recipe().signature()
    assert other.model_dump()["streams"] == {"variant": 1}
    assert Recipe.model_validate(other.model_dump()) == other
