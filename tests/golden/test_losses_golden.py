"""Losses and their gradients against the reference."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from reid.losses import (
    LossInputs,
    batch_hard_triplet,
    center_loss,
    circle_loss,
    label_smoothing_cross_entropy,
    move_centers,
)
from reid.losses.objective import objective
from reid.losses.triplet import pairwise_distances
from reid.recipe import Recipe
from tests.golden.conftest import Golden, close, double

pytestmark = pytest.mark.golden
Read = Callable[[str], Golden]
TRIPLET_CASES = ("p4k4d16", "p16k4d64", "p8k8d32clustered", "p6k2d8", "duplicates", "separated", "p8k4d512relu")


@pytest.mark.parametrize("case", range(5))
def test_label_smoothing(golden: Read, case: int) -> None:
    g = golden("label_smooth_ce")
    labels = torch.from_numpy(g[f"c{case}_targets"])
    for i, epsilon in enumerate(g[f"c{case}_eps"]):
        logits = double(g[f"c{case}_logits"])
        loss = label_smoothing_cross_entropy(logits, labels, float(epsilon))
        loss.backward()  # type: ignore[no-untyped-call]
        close(loss, g[f"c{case}_loss_f64"][i])
        close(logits.grad, g[f"c{case}_grad_logits_f64"][i])
        single = label_smoothing_cross_entropy(torch.from_numpy(g[f"c{case}_logits"]), labels, float(epsilon))
        close(single, g[f"c{case}_loss_f32"][i], rtol=1e-5)
    close(label_smoothing_cross_entropy(double(g[f"c{case}_logits"]), labels, 0.0), g[f"c{case}_plain_ce_f64"])


@pytest.mark.parametrize("case", range(3))
def test_distances(golden: Read, case: int) -> None:
    g = golden("euclidean_distance")
    x, y = g[f"c{case}_x"], g[f"c{case}_y"]
    joint = pairwise_distances(double(np.concatenate([x, y])))[: len(x), len(x) :]
    close(joint, g[f"c{case}_euclidean_f64"], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("case", TRIPLET_CASES)
@pytest.mark.parametrize("soft", [False, True])
def test_triplet(golden: Read, case: str, soft: bool) -> None:
    g = golden("triplet_soft_margin" if soft else "triplet_batch_hard")
    margins: list[float | None] = [None] if soft else [float(m) for m in g["margins"]]
    labels = torch.from_numpy(g[f"{case}_labels"])
    for i, margin in enumerate(margins):
        features = double(g[f"{case}_feat"])
        result = batch_hard_triplet(features, labels, margin)
        close(result.loss, g[f"{case}_loss_f64"][i], rtol=1e-7)
        close(result.dist_ap, g[f"{case}_dist_ap_f64"], rtol=1e-7)
        close(result.dist_an, g[f"{case}_dist_an_f64"], rtol=1e-7)
        single = batch_hard_triplet(torch.from_numpy(g[f"{case}_feat"]), labels, margin)
        close(single.loss, g[f"{case}_loss_f32"][i], rtol=1e-5, atol=1e-5)
        if case != "duplicates" and i < len(g[f"{case}_grad_feat_f64"]):  # ties: the gradient is not unique
            result.loss.backward()  # type: ignore[no-untyped-call]
            close(features.grad, g[f"{case}_grad_feat_f64"][i], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("case", range(4))
def test_center_loss(golden: Read, case: int) -> None:
    g = golden("center_loss")
    labels = torch.from_numpy(g[f"c{case}_labels"])
    features, centers = double(g[f"c{case}_feat"]), double(g[f"c{case}_centers"])
    loss = center_loss(features, labels, centers)
    loss.backward()  # type: ignore[no-untyped-call]
    close(loss, g[f"c{case}_loss_f64"])
    close(features.grad, g[f"c{case}_grad_feat_f64"], atol=1e-9)
    close(centers.grad, g[f"c{case}_grad_centers_f64"], atol=1e-9)
    moved = centers.detach().clone()
    move_centers(moved, features, labels, float(g["center_lr"]))
    close(centers - moved, g["center_lr"] * g[f"c{case}_rescaled_grad_centers_f64"], atol=1e-9)


def test_center_trajectory(golden: Read) -> None:
    g = golden("center_loss")
    centers = double(g["traj_centers0"]).detach()
    for step in range(6):
        features, labels = torch.from_numpy(g["traj_feat"][step]), torch.from_numpy(g["traj_labels"][step])
        close(center_loss(features, labels, centers), g["traj_loss"][step])
        move_centers(centers, features, labels, float(g["center_lr"]))
        close(centers, g["traj_centers"][step])


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (0, {"triplet.weight": 0.0}),
        (1, {"id_loss.weight": 0.0}),
        (2, {}),
        (5, {"id_loss.epsilon": 0.1}),
        (6, {"triplet.weight": 0.0, "center.weight": 5e-4}),
        (7, {"triplet.weight": 0.0, "center.weight": 5e-4, "id_loss.epsilon": 0.1}),
        (8, {"center.weight": 5e-4}),
        (9, {"center.weight": 5e-4, "id_loss.epsilon": 0.1}),
    ],
)
def test_total_loss(golden: Read, row: int, fields: dict[str, float]) -> None:
    g = golden("combined_loss")
    width = int(g["feat_dim"])
    features, centers = (np.pad(g[name], ((0, 0), (0, width - 64))) for name in ("feat_first64", "centers_first64"))
    score, feature = double(g["score"]), double(features)
    labels = torch.from_numpy(g["labels"])
    triplets = batch_hard_triplet(feature, labels, 0.3)
    weights = torch.zeros(score.shape[1], width)
    batch = LossInputs(score, feature, feature, labels, weights, double(centers), triplets)
    losses = objective(batch, Recipe().set(fields))
    losses.total.backward()  # type: ignore[no-untyped-call]
    close(losses.total, g[f"r{row}_loss_f64"])
    if f"r{row}_grad_score_f64" in g:
        close(score.grad, g[f"r{row}_grad_score_f64"], atol=1e-10)
    if f"r{row}_grad_feat_first64_f64" in g:
        assert feature.grad is not None
        close(feature.grad[:, :64], g[f"r{row}_grad_feat_first64_f64"], rtol=1e-7, atol=1e-10)


def test_circle_loss(golden: Read) -> None:
    g = golden("variants_fastreid")
    features = double(g["feat"])
    loss = circle_loss(features, torch.from_numpy(g["labels"]), margin=0.25, gamma=128)
    loss.backward()  # type: ignore[no-untyped-call]
    close(loss, g["pair_circle_m0.25_g128_loss"])
    close(features.grad, g["pair_circle_m0.25_g128_grad"], rtol=1e-8, atol=1e-10)
