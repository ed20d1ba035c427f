"""The four spaces of a trained network against the evaluation of each alone."""

import numpy as np
import pytest
import torch

from reid.data import DecodedDataset
from reid.evaluation import evaluate, extract_test
from reid.evaluation.feature_spaces import SHOWN_IMAGES, SPACES, FeatureSpaces, measure_spaces
from reid.models import build_model
from reid.recipe import Recipe
from reid.tricks import TRICKS

CPU = torch.device("cpu")


def weights_of(recipe: Recipe, data: DecodedDataset) -> dict[str, torch.Tensor]:
    """A network whose batch normalisation has seen something, so that f_i is not f_t."""
    model = build_model(recipe, data.dataset.num_classes, seed=1)
    with torch.no_grad():
        for name, tensor in model.named_buffers():
            if name.startswith("bottleneck.running"):
                tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(2)) + 0.5)
    return model.state_dict()


def spaces_of(weights: dict[str, torch.Tensor], recipe: Recipe, data: DecodedDataset) -> FeatureSpaces:
    model = build_model(recipe, data.dataset.num_classes)
    model.load_state_dict(weights)
    return measure_spaces(extract_test(model, data, recipe, CPU), data.dataset, recipe)


@pytest.mark.parametrize(("neck", "flip"), [(False, False), (True, False), (True, True)])
def test_every_space_ranks_as_its_own_evaluation_does(
    tiny: DecodedDataset, tiny_recipe: Recipe, neck: bool, flip: bool
) -> None:
    recipe = (TRICKS["bnneck"].apply(tiny_recipe) if neck else tiny_recipe).set({"evaluation.flip": flip})
    weights = weights_of(recipe, tiny)
    spaces = spaces_of(weights, recipe, tiny)
    assert tuple(spaces.rankings) == tuple(spaces.clusters) == SPACES
    for space in SPACES:
        feature, metric = space.split("_")
        alone = recipe.set({"evaluation.feature": feature, "evaluation.metric": metric})
        model = build_model(alone, tiny.dataset.num_classes)
        model.load_state_dict(weights)
        np.testing.assert_array_equal(spaces.rankings[space].ap, evaluate(model, tiny, alone, CPU).ap)
    same = spaces.clusters["before_euclidean"] == spaces.clusters["after_euclidean"]
    assert same != neck, "without a neck both features are one"


def test_the_picture_is_of_the_same_images_in_every_run(tiny: DecodedDataset, tiny_recipe: Recipe) -> None:
    recipe = TRICKS["bnneck"].apply(tiny_recipe)
    one = spaces_of(weights_of(recipe, tiny), recipe, tiny).shown
    two = spaces_of(weights_of(tiny_recipe, tiny), tiny_recipe, tiny).shown
    assert one["identities"].tolist() == two["identities"].tolist()
    assert one["cameras"].tolist() == two["cameras"].tolist()
    names, counts = np.unique(one["identities"], return_counts=True)
    assert set(names) == set(tiny.dataset.query.identities), "ten or all there are"
    assert counts.max() <= SHOWN_IMAGES
    assert one["before"].shape == one["after"].shape == (len(one["identities"]), one["before"].shape[1])
    assert np.abs(one["before"] - one["after"]).max() > 0
    np.testing.assert_array_equal(two["before"], two["after"])
