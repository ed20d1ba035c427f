"""What a trained network is worth, on every set that its run is evaluated on; and the files of a run that say so."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from reid.data import DecodedDataset
from reid.data.run_data import RunData
from reid.evaluation import Extracted, Ranking, extract_test, rank_extracted
from reid.evaluation.feature_spaces import Spaces, measure_spaces
from reid.models import build_model
from reid.recipe import Recipe

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Measured:
    """Rankings by set, the headline set's first, and the feature spaces of the headline set."""

    rankings: dict[str, Ranking]
    spaces: Spaces

    @property
    def headline(self) -> Ranking:
        return next(iter(self.rankings.values()))


class Measurer:
    """Measures trained networks on one device.

    Features of the last network are kept, so that runs that share its training are ranked without another pass.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.training = ""
        self.extracted: dict[tuple[str, bool, int], Extracted] = {}

    def measure(self, training: str, weights: Callable[[], Weights], data: RunData, recipe: Recipe) -> Measured:
        """What the network of run `training` is worth, evaluated as `recipe` says; its `weights` are read if need be.

        Raises FloatingPointError where a feature is not finite.
        """
        if training != self.training:
            self.training, self.extracted = training, {}
        rankings = {}
        for name, decoded in data.sets.items():
            found = self._extract(weights, decoded, recipe)
            rankings[name] = rank_extracted(found, decoded.dataset, recipe)
        headline = data.sets[data.domains.headline]
        return Measured(rankings, measure_spaces(self._extract(weights, headline, recipe), headline.dataset, recipe))

    def _extract(self, weights: Callable[[], Weights], data: DecodedDataset, recipe: Recipe) -> Extracted:
        key = (data.fingerprint, recipe.evaluation.flip, recipe.evaluation.batch)
        if key not in self.extracted:
            state = weights()
            model = build_model(recipe, num_classes=len(state["classifier.weight"]))
            model.load_state_dict(state)
            model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.extracted[key] = extract_test(model, data, recipe, self.device)
        return self.extracted[key]
