"""CMC, mAP and AP of the reference implementation (reid-strong-baseline at 3da7e6f: `eval_func`, `R1_mAP`)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from reid.evaluation import rank, rank_distances, rerank

pytestmark = pytest.mark.golden

HERE = Path(__file__).parent
CASES = ["q20g120", "q100g400", "q6g30nocamremoved", "q40g200hard", "q50g300easy"]
WITH_JUNK = [case for case in CASES if case != "q6g30nocamremoved"]

# INP of case q20g120's valid queries in fast-reid at c9bc3ce (`evaluation/rank.py`).
INP = [
    1 / 20,
    1 / 12,
    1 / 12,
    2 / 25,
    9 / 74,
    7 / 41,
    1 / 33,
    4 / 41,
    5 / 66,
    7 / 44,
    8 / 69,
    7 / 67,
    1 / 21,
    1 / 15,
    6 / 85,
    7 / 88,
    4 / 39,
    8 / 73,
]


def load(case: str) -> dict[str, Any]:
    with np.load(HERE / "eval_cmc_map.npz") as arrays:
        return {name.removeprefix(f"{case}_"): arrays[name] for name in arrays.files if name.startswith(f"{case}_")}


def owners_of(arrays: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    return arrays["q_pids"], arrays["g_pids"], arrays["q_camids"], arrays["g_camids"]


@pytest.mark.parametrize("case", CASES)
def test_distance_matrices(case: str) -> None:
    golden = load(case)
    found = rank_distances(golden["distmat"], *owners_of(golden))
    np.testing.assert_allclose(found.cmc, golden["cmc"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.ap, golden["ap_per_query"], rtol=0, atol=1e-9)
    assert found.mAP == pytest.approx(golden["mAP"], rel=0, abs=1e-9)
    assert np.isfinite(found.ap).sum() == golden["num_valid_q"]


@pytest.mark.parametrize("case", WITH_JUNK)
def test_ten_ranks(case: str) -> None:
    golden = load(case)
    found = rank_distances(golden["distmat"], *owners_of(golden), max_rank=10)
    np.testing.assert_allclose(found.cmc, golden["cmc_maxrank10"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", WITH_JUNK)
def test_without_junk(case: str) -> None:
    golden = load(case)
    kept = golden["g_pids"] != -1
    q_pids, g_pids, q_camids, g_camids = owners_of(golden)
    found = rank_distances(golden["distmat"][:, kept], q_pids, g_pids[kept], q_camids, g_camids[kept])
    np.testing.assert_allclose(found.cmc, golden["junk_dropped_cmc"], rtol=0, atol=1e-6)
    assert found.mAP == pytest.approx(golden["junk_dropped_mAP"], rel=0, abs=1e-9)


def test_inverse_negative_penalty() -> None:
    golden = load("q20g120")
    found = rank_distances(golden["distmat"], *owners_of(golden))
    np.testing.assert_allclose(found.inp[np.isfinite(found.inp)], INP, rtol=0, atol=1e-9)
    assert found.mINP == pytest.approx(np.mean(INP), rel=0, abs=1e-9)


@pytest.mark.parametrize(("metric", "norm"), [("cosine", "yes"), ("euclidean", "no")])
def test_features_end_to_end(metric: Any, norm: str) -> None:
    with np.load(HERE / "metric_end_to_end.npz") as golden:
        Q = int(golden["num_query"])
        feats, pids, camids = golden["feats"], golden["pids"], golden["camids"]
        owners = pids[:Q], pids[Q:], camids[:Q], camids[Q:]
        from_features = rank(feats[:Q], feats[Q:], *owners, metric=metric)
        from_distances = rank_distances(golden[f"norm_{norm}_sq_distmat_f32"], *owners)
        for result in (from_features, from_distances):
            np.testing.assert_allclose(result.cmc, golden[f"norm_{norm}_cmc"], rtol=0, atol=1e-6)
            assert result.mAP == pytest.approx(golden[f"norm_{norm}_mAP"], rel=0, abs=1e-9)


@pytest.mark.parametrize("kind", ["norm", "raw"])
def test_re_ranking(kind: str) -> None:
    """Weights in float32, as fast-reid has them; within what the reference's float16 ones leave."""
    with np.load(HERE / "re_ranking.npz") as golden:
        query, gallery = (torch.from_numpy(golden[f"{name}_feat"]) for name in ("q", "g"))
        if kind == "norm":
            query, gallery = functional.normalize(query), functional.normalize(gallery)
        for k1, k2, lambda_ in golden["configs_k1_k2_lambda"]:
            found = rerank(query, gallery, int(k1), int(k2), float(lambda_))
            assert found.dtype == np.float32
            stem = f"{kind}_k1_{int(k1)}_k2_{int(k2)}_lambda_{lambda_:g}_final_dist"
            np.testing.assert_allclose(found, golden[f"{stem}_float32_weights"], rtol=0, atol=1e-6)
            np.testing.assert_allclose(found, golden[stem], rtol=0, atol=5e-3)


@pytest.mark.parametrize("norm", ["yes", "no"])
def test_re_ranking_end_to_end(norm: str) -> None:
    """The reference's float16 weights move single images past near neighbours: one query of the 40 by one rank."""
    with np.load(HERE / "metric_end_to_end.npz") as golden:
        Q = int(golden["num_query"])
        feats, pids, camids = torch.from_numpy(golden["feats"]), golden["pids"], golden["camids"]
        if norm == "yes":
            feats = functional.normalize(feats)
        found = rank_distances(rerank(feats[:Q], feats[Q:]), pids[:Q], pids[Q:], camids[:Q], camids[Q:])
        np.testing.assert_allclose(found.cmc, golden[f"norm_{norm}_rerank_cmc"], rtol=0, atol=1 / Q + 1e-6)
        assert found.mAP == pytest.approx(golden[f"norm_{norm}_rerank_mAP"], rel=0, abs=1e-4)
