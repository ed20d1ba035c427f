"""The average of weights against its formula."""

import torch

from reid.models import build_model
from reid.recipe import Recipe
from reid.training.ema import Average


def test_average_follows_the_formula(tiny_recipe: Recipe) -> None:
    model = build_model(tiny_recipe, 5)
    average = Average(model, decay=0.7)
    generator = torch.Generator().manual_seed(0)
    name = "base.layer1.conv1.weight"
    expected = model.state_dict()[name].clone()
    for step in range(1, 6):
        with torch.no_grad():
            for tensor in model.state_dict().values():
                if tensor.is_floating_point():
                    tensor.add_(torch.randn(tensor.shape, generator=generator))
                else:
                    tensor.fill_(step)
        average.update(model, step)
        decay = min(0.7, step / (step + 1))
        expected = decay * expected + (1 - decay) * model.state_dict()[name]
        torch.testing.assert_close(average.model.state_dict()[name], expected)
    assert average.model.state_dict()["base.bn1.num_batches_tracked"] == 5


def test_first_steps_count_alike(tiny_recipe: Recipe) -> None:
    """With a decay near 1 the average is the plain mean of the initial weights and those after each step."""
    model = build_model(tiny_recipe, 5)
    average = Average(model, decay=0.999)
    seen = [model.classifier.weight.detach().clone()]
    for step in range(1, 5):
        with torch.no_grad():
            model.classifier.weight.add_(step)
        seen.append(model.classifier.weight.detach().clone())
        average.update(model, step)
    torch.testing.assert_close(average.model.classifier.weight.detach(), torch.stack(seen).mean(0))
