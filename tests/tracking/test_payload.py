"""What is told of a run is what its folder says."""

import math

import numpy as np
import pytest

from reid.recipe import Recipe
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.tracking import payload as facts
from tests.helpers.records import raw, scored, write_raw
from tests.helpers.run_on_disk import STARTED
from tests.tracking.conftest import Fabric


def curve(folder: RunFolder, key: str) -> dict[int, float]:
    return {point.step: point.value for point in facts.run_points(folder) if point.key == key}


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([RunState.FINISHED, RunState.RUNNING, RunState.FAILED], RunState.RUNNING),
        ([RunState.FINISHED, RunState.FAILED, RunState.STOPPED], RunState.FAILED),
        ([RunState.FINISHED, RunState.PLANNED], RunState.PLANNED),
        ([RunState.DIVERGED, RunState.FINISHED], RunState.FINISHED),
        ([RunState.DIVERGED, RunState.DIVERGED], RunState.DIVERGED),
    ],
)
def test_an_arm_tells_the_state_that_most_needs_to_be_seen(states: list[RunState], told: RunState) -> None:
    assert facts.arm_state(states) == told


def test_times_are_read_as_both_folders_and_plans_write_them() -> None:
    assert facts.milliseconds("2026-01-01T00:00:00+00:00") == facts.milliseconds(STARTED) == 1_767_225_600_000


def test_a_finished_run_tells_its_results_and_costs(fabric: Fabric) -> None:
    folder = fabric.runs(fabric.grid())["11", 0]
    result = raw(folder, "result")
    told = {point.key: point.value for point in facts.run_points(folder) if not point.step}
    assert {key: told[f"final/{key}"] for key in result["metrics"]} == result["metrics"]
    assert told["time/train_seconds"] == result["cost"]["train_seconds"]
    assert told["system/peak_memory_mb"] == pytest.approx(1073.741824)
    assert curve(folder, "val/mAP") == {e["epoch"]: e["mAP"] for e in raw(folder, "evaluations")}
    assert not curve(folder, "loss/center"), "a loss that is off has no curve"


def test_the_last_value_of_a_curve_is_the_last_iteration(fabric: Fabric) -> None:
    folder = fabric.runs(fabric.grid(epochs=200, iterations=9))["11", 0]
    whole, told = folder.curves(), curve(folder, "loss/id")
    assert whole is not None
    assert len(told) < 300 < len(whole)
    assert max(told) == len(whole)
    assert max(told.values()) == whole["id_loss"].max()
    assert told[len(whole)] == whole["id_loss"].iloc[-1]


def test_a_running_curve_ends_with_the_last_whole_epoch(fabric: Fabric) -> None:
    folder = fabric.runs(fabric.grid(outcomes={("11", 0): "running"}))["11", 0]
    whole = folder.curves()
    assert whole is not None
    assert whole["epoch"].max() == 7
    assert max(curve(folder, "loss/id")) == 60


def test_a_diverged_curve_ends_where_its_numbers_do(fabric: Fabric) -> None:
    folder = fabric.runs(fabric.grid(outcomes={("11", 0): "diverged"}))["11", 0]
    points = facts.run_points(folder)
    assert all(math.isfinite(point.value) for point in points)
    assert max(curve(folder, "loss/id")) == 57
    assert not any(point.key.startswith("final/") for point in points)


def test_parameters_are_the_whole_recipe_the_seed_the_data_and_the_tricks(fabric: Fabric) -> None:
    path = fabric.grid()
    folder = fabric.runs(path)["10", 1]
    params = facts.run_params(read_plan(path).plan, folder)
    recipe = Recipe.model_validate(raw(folder, "run")["recipe"]).flat()
    assert set(recipe) - {"streams.variant"} <= set(params)  # which is written where it is another only
    assert params["schedule.warmup_epochs"] == recipe["schedule.warmup_epochs"] == 10
    assert (params["trick.WU"], params["trick.BN"], params["seed"]) == (1, 0, 1)
    assert params["dataset.fingerprint"] == "0123456789abcdef"


def test_an_arms_metrics_are_means_over_its_finished_seeds(fabric: Fabric) -> None:
    runs = fabric.runs(fabric.grid(seeds=(0, 1, 2), outcomes={("11", 2): "diverged"}))
    folders = [runs["11", seed] for seed in (0, 1, 2)]
    told = {point.key: point.value for point in facts.arm_points(folders)}
    both = [raw(folder, "result")["metrics"]["mAP"] for folder in folders[:2]]
    assert told["final/mAP"] == pytest.approx(np.mean(both))
    assert told["final/mAP_sd"] == pytest.approx(np.std(both, ddof=1))
    assert "final/mAP_sd" not in {point.key for point in facts.arm_points(folders[1:])}
    assert facts.arm_points(folders[2:]) == []


def test_a_failed_runs_note_has_its_traceback(fabric: Fabric) -> None:
    path = fabric.grid(outcomes={("10", 0): "failed"})
    note = facts.run_note(read_plan(path).plan, fabric.runs(path)["10", 0])
    assert "Warm-up learning rate" in note
    assert "BNNeck" not in note
    assert "**failed** after 6 of 12 epochs. RuntimeError: no luck" in note
    assert "Traceback (most recent call last):" in note


def test_indices_and_spaces_are_metrics_of_runs_and_arms(fabric: Fabric) -> None:
    runs = fabric.runs(fabric.grid())
    for seed, share in ((0, 0.25), (1, 0.75)):
        folder = runs["11", seed]
        extra = {
            "dynamics": {"oscillation": share, "id_recovery": None if seed else 3.0},
            "spaces": {"after_cosine": scored(share).model_dump()},
            "clusters": {"after_cosine": {"silhouette": 0.5, "eer": None}},
        }
        write_raw(folder, "result", raw(folder, "result") | extra)
    told = {point.key: point.value for point in facts.run_points(runs["11", 1]) if not point.step}
    assert (told["dynamics/oscillation"], told["spaces/after_cosine_mAP"]) == (0.75, 0.75)
    assert not {"dynamics/id_recovery", "spaces/after_cosine_eer"} & set(told), "what has no value is not told"
    arm = {point.key: point.value for point in facts.arm_points([runs["11", 0], runs["11", 1]])}
    assert (arm["dynamics/oscillation"], arm["spaces/after_cosine_silhouette"]) == (0.5, 0.5)
    assert "dynamics/id_recovery" not in arm, "a mean is over all finished seeds or not told"


def test_conflict_is_a_curve_where_it_was_measured(fabric: Fabric) -> None:
    folder = fabric.runs(fabric.grid())["11", 0]
    assert not curve(folder, "train/conflict"), "trained before it was recorded"
    whole = folder.curves()
    assert whole is not None
    share = np.where(whole["iteration"] % 20 == 1, 0.25, np.nan)
    folder.write_curves(whole.assign(conflict_share=share))
    assert set(curve(folder, "train/conflict")) <= set(whole["iteration"][~np.isnan(share)])
    assert curve(folder, "train/conflict")[1] == 0.25
