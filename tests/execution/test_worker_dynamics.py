"""What a run's folder says of its dynamics and its feature spaces."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from reid.data import DatasetSource, DecodedDataset
from reid.evaluation.clusters import CLUSTERS, VERIFICATION
from reid.evaluation.feature_spaces import SPACES
from reid.execution.worker import Worker
from reid.metrics.signs import Sign
from reid.models import build_model
from reid.recipe import Recipe
from reid.store.dataset_record import dataset_record
from reid.store.run_folder import RunFolder
from reid.store.run_records import RecipeRecord, RunRecord, RunState
from reid.training import INDICES, measure_dynamics, step_fields
from reid.tricks import TRICKS


def execute(folder: Path, recipe: Recipe, data: DecodedDataset) -> RunFolder:
    """A run trained in a folder of its own."""
    run = RunFolder(folder / "run")
    run.path.mkdir()
    dataset = dataset_record(DatasetSource(name="tiny", root=data.dataset.root), data)
    run.write_run(RunRecord(signature="run", recipe=RecipeRecord.of(recipe), seed=0, dataset=dataset, code="0" * 16))
    torch.set_num_threads(1)
    Worker(folder / "cache", torch.device("cpu"), False).execute(run.path, lambda *_: None, lambda: False)
    return run


def test_a_finished_run(tiny: DecodedDataset, tiny_recipe: Recipe, tmp_path: Path) -> None:
    run = execute(tmp_path, TRICKS["bnneck"].apply(tiny_recipe), tiny)
    result = json.loads((run.path / "result.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    curves = run.curves()
    assert curves is not None
    assert list(result["dynamics"]) == list(INDICES)
    expected = {name: None if np.isnan(value) else value for name, value in measure_dynamics(curves).items()}
    assert result["dynamics"] == expected
    assert result["dynamics"]["conflict_share"] is not None
    assert list(result["spaces"]) == list(result["clusters"]) == list(SPACES)
    assert result["spaces"]["after_cosine"] == pytest.approx(result["metrics"]), "the space the recipe ranks by"
    assert all(list(measures) == [*CLUSTERS, *VERIFICATION] for measures in result["clusters"].values())
    shown = run.query_identities()
    assert shown is not None
    assert shown.tolist() == tiny.dataset.query.identities.tolist()
    with np.load(run.path / "embeddings.npz") as stored:
        assert sorted(stored.files) == ["after", "before", "cameras", "identities"]


def test_the_log_says_what_was_loaded_of_pretrained_weights(
    tiny: DecodedDataset, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    weights = build_model(tiny_recipe, 7).state_dict()
    torch.save(weights, tmp_path / "trunk.pth")
    run = execute(tmp_path, tiny_recipe.set({"backbone.pretrained": str(tmp_path / "trunk.pth")}), tiny)
    (line,) = (line for line in run.log.read_text().splitlines() if "pretrained weights" in line)
    loaded = sum(name.startswith("base.") for name in weights)
    assert line.endswith(f"trunk.pth: {loaded} tensors loaded, left out classifier.weight, classifier.bias")


def test_a_diverged_run_has_its_curves_up_to_the_end(tiny: DecodedDataset, tiny_recipe: Recipe, tmp_path: Path) -> None:
    run = execute(tmp_path, tiny_recipe.set({"schedule.base": 1e30}), tiny)
    assert run.read_state().state == "diverged"
    curves = run.curves()
    assert curves is not None
    assert not np.isfinite(curves["total_loss"].iloc[-1])
    assert np.isfinite(curves["total_loss"].iloc[0])
    assert np.isfinite(curves["conflict_share"].iloc[0])
    assert list(measure_dynamics(curves)) == list(INDICES)


def test_a_run_that_learnt_nothing_is_finished_and_says_so(
    tiny: DecodedDataset, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    run = execute(tmp_path, tiny_recipe.set({"schedule.base": 1e-12, "id_loss.epsilon": 0.1}), tiny)
    result, state = run.require_result(), run.read_state()
    assert (state.state, state.reason) == (RunState.FINISHED, result.warning)
    assert Sign.ID_LOSS in result.signs
    assert result.scores.mAP > 0, "it counts with what it reached"
    assert run.model.exists()


def test_the_curves_of_a_long_training_stay_small(tmp_path: Path) -> None:
    """120 epochs of 200 iterations in less than 5 MB, even if no two numbers are alike."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.normal(size=24_000).astype(np.float32) for name in step_fields(Recipe())})
    folder = RunFolder(tmp_path)
    folder.write_curves(frame.assign(iteration=np.arange(24_000, dtype=np.int32)))
    assert (tmp_path / "curves.parquet").stat().st_size < 5e6
