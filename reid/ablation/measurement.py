"""What a trained network is worth, on every set that its run is evaluated on; and the files of a run that say so."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from reid.ablation.domains import RunData
from reid.data import DecodedDataset
from reid.evaluation import Extracted, Ranking, extract_test, rank_extracted
from reid.evaluation.lists import named_lists
from reid.evaluation.spaces import Spaces, measure_spaces
from reid.models import build_model
from reid.recipe import Recipe
from reid.run_folder import RunFolder, atomic
from reid.training import measure_dynamics

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


def save_result(
    folder: RunFolder, measured: Measured, data: RunData, curves: pd.DataFrame, cost: Mapping[str, Any]
) -> None:
    """result.json, the queries' average precision, a few rank lists, and features of a few identities to draw."""
    ranking, spaces = measured.headline, measured.spaces
    for name, other in measured.rankings.items():
        part = "query_ap.npy" if other is ranking else f"query_ap.{name}.npy"
        with atomic(folder.path / part) as temporary, temporary.open("wb") as file:
            np.save(file, other.ap)
    with atomic(folder.path / "embeddings.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **spaces.shown)
    folder.write("ranklists", named_lists(ranking.lists, data.training.dataset))
    result = {
        "metrics": headline(ranking),
        "cmc": [float(value) for value in ranking.cmc],
        "queries": len(ranking.ap),
        "valid_queries": int(np.isfinite(ranking.ap).sum()),
        "dynamics": without_nan(measure_dynamics(curves)),
        "spaces": {name: headline(space) for name, space in spaces.rankings.items()},
        "clusters": {name: without_nan(measures) for name, measures in spaces.clusters.items()},
        "cost": dict(cost),
    }
    if not data.domains.alone:
        trained = data.domains.train_on
        result["domains"] = {
            name: {"trained_on": name in trained, **headline(measured.rankings[name])}
            for name in data.domains.evaluate_on
        }
    folder.write("result", result)


def headline(ranking: Ranking) -> dict[str, float]:
    """mAP, mINP and rank-1/5/10 as fractions; on a gallery of fewer than k images rank-k is the last there is."""
    ranks = {f"rank{k}": float(ranking.cmc[min(k, len(ranking.cmc)) - 1]) for k in (1, 5, 10)}
    return {"mAP": ranking.mAP, "mINP": ranking.mINP, **ranks}


def without_nan(numbers: dict[str, float]) -> dict[str, float | None]:
    """`numbers` for JSON, which has no NaN: null where there is none."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
