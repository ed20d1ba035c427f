"""Runs that differ in evaluation only: one training, as many evaluations, and the numbers of separate trainings."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from reid.cli.app import app
from reid.evaluation import evaluator, extract_test
from reid.execution import recorder
from reid.execution.evaluate_run import TestSet, evaluate_run
from reid.grids.forecast import forecast
from reid.grids.grid import read_grid
from reid.grids.launch import Launched, open_data, prepare
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore, set_state
from reid.store.shared_training import EVALUATION_ONLY, run_signature, shared_trainings, training_of
from tests.helpers.quiet_view import Silent, execute
from tests.helpers.records import raw, write_raw

pytestmark = pytest.mark.slow

GRID = """\
name: shared
dataset: {{name: tiny, root: {root}}}
recipe:
  image: {{size: [32, 16]}}
  augmentation: {{pad: 2}}
  batch: {{identities: 4, images: 2}}
  backbone: {{name: resnet10_narrow, stem_relu: true, pretrained: none}}
  neck: {{kind: bnneck}}
  schedule: {{base: {base}, epochs: 3, milestones: []}}
  evaluation: {{every: 3, feature: after}}
factors: {{evaluation.metric: [cosine, euclidean], evaluation.rerank: [false, true]}}
"""
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "evaluation.feature": st.sampled_from(["before", "after"]),
        "evaluation.metric": st.sampled_from(["cosine", "euclidean"]),
        "evaluation.flip": st.booleans(),
        "evaluation.rerank": st.booleans(),
        "evaluation.rerank_k1": st.integers(6, 40),
        "evaluation.rerank_lambda": st.floats(0, 1),
        "evaluation.max_rank": st.integers(1, 50),
    },
)


def planned(folder: Path, root: Path, base: float = 3e-3) -> Launched:
    (folder / "grid.yaml").write_text(GRID.format(root=root, base=base))
    return prepare(folder / "grid.yaml", folder / "output", {}, False, "", Silent())


def folders(launched: Launched) -> list[RunFolder]:
    return [launched.run_store.folder(run.signature) for run in launched.plan.runs]


def outcome(run: RunFolder) -> dict[str, Any]:
    """What a run measured, without its times."""
    result = raw(run, "result")
    ap = run.query_ap()
    assert ap is not None
    return {**{key: result[key] for key in result if key != "cost"}, "ap": ap.tobytes()}


@pytest.fixture(scope="module")
def launched_grid(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Launched:
    """The 2 x 2 grid, executed in the order of its plan by one worker that counts its passes over the test images."""
    folder = tmp_path_factory.mktemp("shared")
    launched = planned(folder, tiny_root)
    passes = []

    def counting(*arguments: Any) -> Any:
        passes.append(arguments)
        return extract_test(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "extract_test", counting)
        assert execute(folders(launched), folder / "output" / "cache") == ["finished"] * 4
    assert len(passes) == 1, "the features of one training are extracted once"
    return launched


@given(FIELDS, FIELDS)
def test_recipes_share_a_training_when_only_evaluation_differs(one: dict[str, Any], two: dict[str, Any]) -> None:
    first, second = Recipe().set(one), Recipe().set(two)
    assert training_of(first) == training_of(second) == training_of(training_of(first))
    assert training_of(first) != training_of(second.set({"triplet.margin": 0.5}))
    assert training_of(first) != training_of(second.set({"evaluation.every": 7})), "it is seen while it trains"
    unlike = {
        path.partition(".")[2] for path, value in first.flat().items() if value != training_of(first).flat()[path]
    }
    assert unlike <= set(EVALUATION_ONLY)


def test_the_grid_trains_once_and_evaluates_four_times(launched_grid: Launched) -> None:
    sources = [run for run in launched_grid.plan.runs if run.shares is None]
    assert len(sources) == 1
    assert {run.shares for run in launched_grid.plan.runs[1:]} == {sources[0].signature}
    source, *others = folders(launched_grid)
    assert source.model.exists()
    assert not any(other.model.exists() for other in others)
    for other in others:
        assert raw(other, "run")["shares"] == source.signature
        cost = raw(other, "result")["cost"]
        assert cost["shares"] == source.signature
        assert cost["shared"] == ["train_seconds", "images_per_second", "peak_memory_bytes"]
        assert cost["train_seconds"] == raw(source, "result")["cost"]["train_seconds"]
        assert cost["evaluation_seconds"] < cost["train_seconds"]
        assert raw(other, "evaluations") == [{"epoch": 3, **raw(other, "result")["metrics"]}]
        assert raw(other, "state")["epoch"] == 3
        assert other.curves() is not None


def test_the_numbers_are_those_of_four_separate_trainings(launched_grid: Launched, tmp_path: Path) -> None:
    separate = []
    for run in folders(launched_grid):
        alone = RunFolder(tmp_path / run.signature)
        alone.path.mkdir()
        write_raw(alone, "run", {key: value for key, value in raw(run, "run").items() if key != "shares"})
        separate.append(alone)
    torch.set_num_threads(1)
    assert execute(separate, launched_grid.run_store.output / "cache") == ["finished"] * 4
    assert all(run.model.exists() for run in separate)
    assert [outcome(run) for run in separate] == [outcome(run) for run in folders(launched_grid)]
    assert len({outcome(run)["ap"] for run in separate}) == 4


def test_a_run_without_weights_of_its_own_is_evaluated_elsewhere(launched_grid: Launched, tiny_root: Path) -> None:
    run = folders(launched_grid)[1]
    found = evaluate_run(run, TestSet(tiny_root, "market1501", launched_grid.run_store.output / "cache", "cpu"))
    assert found["mAP"] == pytest.approx(raw(run, "result")["metrics"]["mAP"])


def test_what_is_trained_is_not_planned_to_be_shared_anew(
    launched_grid: Launched, tmp_path: Path, tiny_root: Path
) -> None:
    """One of the four was trained by another grid: the other three share it, whatever the order."""
    launched = planned(tmp_path, tiny_root)
    trained = folders(launched)[2]
    write_raw(trained, "run", {key: value for key, value in raw(trained, "run").items() if key != "shares"})
    execute([trained], tmp_path / "output" / "cache")
    again = planned(tmp_path, tiny_root)
    assert [run.shares for run in again.plan.runs] == [
        None if run.signature == trained.signature else trained.signature for run in again.plan.runs
    ]
    first = folders(again)[0]
    assert raw(first, "run")["shares"] == trained.signature, "it was planned to train and has not begun"
    execute([first], tmp_path / "output" / "cache")
    assert outcome(first) == outcome(folders(launched_grid)[0])


def _execute_and_die(path: Path, cache: Path) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    recorder.__dict__["named_lists"] = die  # called while result.json is made
    execute([RunFolder(path)], cache)


def test_a_worker_killed_while_it_evaluates_costs_nothing(
    launched_grid: Launched, tmp_path: Path, tiny_root: Path
) -> None:
    launched = planned(tmp_path, tiny_root)
    source, other = folders(launched)[:2]
    assert execute([other], tmp_path / "cache") == ["stopped"], "its source is not trained yet"
    assert "train that first" in raw(other, "state")["reason"]
    assert execute([source], tmp_path / "cache") == ["finished"]
    worker = multiprocessing.get_context("spawn").Process(
        target=_execute_and_die, args=(other.path, tmp_path / "cache")
    )
    worker.start()
    worker.join()
    assert worker.exitcode == -9
    assert raw(other, "result") is None
    assert launched.run_store.settle(other.signature) == "stopped"
    assert planned(tmp_path, tiny_root).plan.runs == launched.plan.runs
    assert execute([other], tmp_path / "cache") == ["finished"]
    assert outcome(other) == outcome(folders(launched_grid)[1])


def test_a_training_that_diverged_did_so_for_all(tmp_path: Path, tiny_root: Path) -> None:
    runs = folders(planned(tmp_path, tiny_root, base=1e30))
    assert execute(runs[:2], tmp_path / "cache") == ["diverged"] * 2
    reason = raw(runs[0], "state")["reason"]
    assert raw(runs[1], "state")["reason"] == f"{reason} (training shared with run {runs[0].signature})"
    assert runs[1].curves() is not None


def test_one_arm_in_the_foreground_trains_what_it_shares_first(tmp_path: Path, tiny_root: Path) -> None:
    launched = planned(tmp_path, tiny_root)
    source, other = folders(launched)[:2]
    arm = next(run.arm for run in launched.plan.runs if run.signature == other.signature)
    words = [
        "train",
        str(tmp_path / "grid.yaml"),
        "--arm",
        arm,
        "--output",
        str(tmp_path / "output"),
        "--device",
        "cpu",
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert f"{other.path}: finished" in result.output.replace("\n", "")
    assert (source.read_state().state, other.read_state().state) == ("finished", "finished")


@pytest.mark.parametrize(
    ("prepare_source", "state", "reason"),
    [
        (
            lambda run: set_state(run, state=RunState.FAILED, reason="out of memory"),
            "failed",
            "out of memory (training shared",
        ),
        (
            lambda run: set_state(run, state=RunState.STOPPED, reason="asked", early_stopped=True),
            "stopped",
            "asked (training sha",
        ),
        (
            lambda run: set_state(run, state=RunState.FINISHED),
            "failed",
            "model.pt was removed; remove both run folders",
        ),
    ],
)
def test_a_source_without_weights(
    tmp_path: Path, tiny_root: Path, prepare_source: Callable[[RunFolder], None], state: str, reason: str
) -> None:
    source, other = folders(planned(tmp_path, tiny_root))[:2]
    prepare_source(source)
    assert execute([other], tmp_path / "cache") == [state]
    found = raw(other, "state")
    assert reason in found["reason"]
    assert found["early_stopped"] == raw(source, "state")["early_stopped"]


def test_code_that_changed_between_training_and_evaluation_is_neither(tmp_path: Path, tiny_root: Path) -> None:
    source, other = folders(planned(tmp_path, tiny_root))[:2]
    execute([source], tmp_path / "cache")
    ours = raw(source, "run")["code"]
    write_raw(source, "run", {**raw(source, "run"), "code": "older"})
    execute([other], tmp_path / "cache")
    assert raw(other, "run")["code"] not in (ours, "older")


def test_sharing_is_by_seed_and_data(tmp_path: Path) -> None:
    run_store = RunStore.create(tmp_path)
    plain, reranked = Recipe(), Recipe().set({"evaluation.rerank": True})
    runs = [
        (run_signature(recipe, seed, content), recipe, seed, content)
        for seed in (0, 1)
        for content in ("this", "that")
        for recipe in (plain, reranked)
    ]
    shares: Mapping[str, str] = shared_trainings(runs, run_store.folder)
    assert shares == {runs[number + 1][0]: runs[number][0] for number in range(0, 8, 2)}


def test_a_forecast_counts_what_is_evaluated_only(tmp_path: Path, tiny_root: Path, launched_grid: Launched) -> None:
    (tmp_path / "grid.yaml").write_text(GRID.format(root=tiny_root, base=3e-3) + "seeds: [0, 1]\n")
    grid = read_grid(tmp_path / "grid.yaml", {})
    opened = open_data(grid, tmp_path, False, Silent())
    fresh = forecast(grid, opened, RunStore.create(tmp_path), torch.device("cpu"), 1)
    assert (fresh.open_runs, fresh.shared) == (8, 6)
    assert fresh.seconds_a_ranking > 0
    assert fresh.device_hours == pytest.approx((2 * fresh.seconds_a_run + 6 * fresh.seconds_a_ranking) / 3600)
    known = forecast(grid, opened, launched_grid.run_store, torch.device("cpu"), 1)
    assert (known.open_runs, known.shared) == (4, 3)
    costs = [raw(run, "result")["cost"] for run in folders(launched_grid)]
    assert known.seconds_a_ranking == np.median([cost["evaluation_seconds"] for cost in costs[1:]])
    assert known.source == "1 runs of this grid"
