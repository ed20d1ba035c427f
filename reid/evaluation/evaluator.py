"""What a trained network is worth, on every set that its run is evaluated on."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from reid.data import DecodedDataset
from reid.data.run_data import RunData
from reid.evaluation import Ranking, TestFeatures, extract_test, rank_extracted
from reid.evaluation.feature_spaces import FeatureSpaces, measure_spaces
from reid.models import build_model
from reid.recipe import Recipe

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class EvaluationResult:
    """Rankings by set, the primary set's first, and the feature spaces of the primary set."""

    rankings: dict[str, Ranking]
    spaces: FeatureSpaces

    @property
    def primary(self) -> Ranking:
        return next(iter(self.rankings.values()))


class Evaluator:
    """Evaluates trained networks on one device.

    Features of the last network are kept, so that runs that share its training are ranked without another pass.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.training = ""
        self.extracted: dict[tuple[str, bool, int], TestFeatures] = {}

    def evaluate(
        self, training: str, weights: Callable[[], Weights], data: RunData, recipe: Recipe
    ) -> EvaluationResult:
        """What the network of run `training` is worth, evaluated as `recipe` says; its `weights` are read if need be.

        Raises FloatingPointError where a feature is not finite.
        """
        if training != self.training:
            self.training, self.extracted = training, {}
        rankings = {}
        for name, decoded in data.sets.items():
            found = self._extract(weights, decoded, recipe)
            rankings[name] = rank_extracted(found, decoded.dataset, recipe)
        primary = data.sets[data.domains.primary]
        spaces = measure_spaces(self._extract(weights, primary, recipe), primary.dataset, recipe)
        return EvaluationResult(rankings, spaces)

    def _extract(self, weights: Callable[[], Weights], data: DecodedDataset, recipe: Recipe) -> TestFeatures:
        key = (data.fingerprint, recipe.evaluation.flip, recipe.evaluation.batch)
        if key not in self.extracted:
            state = weights()
            model = build_model(recipe, num_classes=len(state["classifier.weight"]))
            model.load_state_dict(state)
            model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.extracted[key] = extract_test(model, data, recipe, self.device)
        return self.extracted[key]
