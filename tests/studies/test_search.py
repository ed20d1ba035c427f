"""What becomes of trials: every outcome of a run, repeats, pruning, interruptions; and that the optimum is found."""

import json
from pathlib import Path
from typing import Any

import pytest

from reid.errors import InputError
from reid.execution.events import Progressed
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.studies.study_file import StudyPlan
from tests.helpers.own_metric import miss_rate
from tests.helpers.records import raw
from tests.studies.synthetic import BEST_EPSILON, Imagined, noisy, search, truth, write_study

pytestmark = pytest.mark.slow


def test_the_optimum_is_found_through_noise(tiny_root: Path, tmp_path: Path) -> None:
    """Within two standard deviations of the noise, by what is true of the winner rather than what it scored."""
    over, records, trainer = search(write_study(tmp_path, tiny_root, 40, epochs=1), tmp_path, storage="journal")
    assert over
    assert len(trainer.trained) == 40
    best = max(records, key=lambda record: record["values"][0])
    recipe = Recipe().set({"id_loss.epsilon": best["params"]["label_smoothing.epsilon"]})
    found = truth(recipe.set({"center.weight": best["params"]["center_loss.weight"]}))
    assert found > 0.7 - 0.02
    assert abs(best["params"]["label_smoothing.epsilon"] - BEST_EPSILON) < 0.05
    assert records[0]["params"] == {"label_smoothing.epsilon": 0.1, "center_loss.weight": 5e-4}, (
        "the paper's come first"
    )


@pytest.mark.parametrize("sampler", ["gp", "random", "cmaes", "grid"])
def test_every_sampler_proposes(sampler: str, tiny_root: Path, tmp_path: Path) -> None:
    more = f"sampler: {{name: {sampler}, seed: 3}}"
    over, records, _ = search(write_study(tmp_path, tiny_root, 13, more, epochs=1), tmp_path, storage="journal")
    assert over
    assert len({json.dumps(record["params"]) for record in records}) == 13
    assert all(0 <= record["params"]["label_smoothing.epsilon"] <= 0.3 for record in records)


def test_outcomes_are_told_with_their_reasons(tiny_root: Path, tmp_path: Path) -> None:
    def value(recipe: Recipe, seed: int) -> float | str:
        if recipe.center.weight == 0:
            return "diverged"
        return "failed" if recipe.id_loss.epsilon > 0.15 else noisy(recipe, seed)

    file = write_study(tmp_path, tiny_root, 30, epochs=1)
    seen: list[dict[str, Any]] = []
    over, records, _ = search(file, tmp_path, lambda run_store: Imagined(run_store, value), "journal", seen)
    assert over
    assert seen == records
    for record in records:
        state, reason, values = record["state"], record["reason"], record["values"]
        if record["params"]["center_loss.weight"] == 0:
            assert (state, reason, values) == ("pruned", "seed 0 diverged: diverged as planned", None)
        elif record["params"]["label_smoothing.epsilon"] > 0.15:
            assert (state, reason, values) == ("failed", "seed 0 failed: failed as planned", None)
        else:
            assert (state, reason) == ("complete", None)
            assert record["intermediate"] == [{"step": 1, "value": values[0]}]
    assert {record["state"] for record in records} == {"complete", "pruned", "failed"}


def test_a_repeated_recipe_is_not_trained_twice(tiny_root: Path, tmp_path: Path) -> None:
    more = "knobs: {pooling.kind: [average, max, gem]}\nsampler: {name: random}"
    over, records, trainer = search(write_study(tmp_path, tiny_root, 9, more, epochs=1), tmp_path, storage="journal")
    assert over
    assert len(records) == 9
    assert len(trainer.trained) == len({record["runs"][0]["signature"] for record in records}) <= 3
    assert {record["values"][0] for record in records if record["params"]["pooling.kind"] == "average"} == {
        records[0]["values"][0]
    }


def test_values_that_do_not_go_together_are_a_pruned_trial(tiny_root: Path, tmp_path: Path) -> None:
    more = "knobs: {evaluation.rerank_k1: {low: 6, high: 10}, evaluation.rerank_k2: {low: 6, high: 10}}"
    _, records, _ = search(write_study(tmp_path, tiny_root, 20, more, epochs=1), tmp_path, storage="journal")
    for record in records:
        k1, k2 = record["params"].values()
        assert (record["state"] == "pruned") == (k2 > k1)
        if k2 > k1:
            assert f"rerank_k2 must be at most rerank_k1, found {k2} and {k1}" in record["reason"]


def test_trials_that_turn_evaluation_share_one_training(tiny_root: Path, tmp_path: Path) -> None:
    more = "recipe_: 0\nknobs: {evaluation.rerank_k1: {low: 8, high: 40}}".removeprefix("recipe_: 0\n")
    over, records, _ = search(write_study(tmp_path, tiny_root, 5, more, epochs=1), tmp_path, storage="journal")
    assert over
    runs = [raw(RunFolder(tmp_path / "runs" / record["runs"][0]["signature"]), "run") for record in records]
    sources = {run["shares"] or run["signature"] for run in runs}
    assert len({run["signature"] for run in runs}) > 1
    assert len(sources) == 1


def test_seeds_are_averaged_one_by_one(tiny_root: Path, tmp_path: Path) -> None:
    more = "seeds: [0, 1, 2]"
    _, records, trainer = search(write_study(tmp_path, tiny_root, 4, more, epochs=1), tmp_path, storage="journal")
    assert len(trainer.trained) == 12
    for record in records:
        values = [
            raw(RunFolder(tmp_path / "runs" / run["signature"]), "result")["metrics"]["mAP"] for run in record["runs"]
        ]
        assert [run["seed"] for run in record["runs"]] == [0, 1, 2]
        assert record["values"] == [pytest.approx(sum(values) / 3)]


def test_a_pruner_across_seeds_saves_seeds(tiny_root: Path, tmp_path: Path) -> None:
    more = "seeds: [0, 1, 2, 3, 4]\npruner: wilcoxon"
    _, records, trainer = search(write_study(tmp_path, tiny_root, 12, more, epochs=1), tmp_path, storage="journal")
    pruned = [record for record in records if record["state"] == "pruned"]
    assert pruned
    assert all(len(record["runs"]) in (3, 4) for record in pruned)
    assert all(record["reason"].startswith("worse than the best after") for record in pruned)
    assert len(trainer.trained) == sum(len(record["runs"]) for record in records) < 60


@pytest.mark.parametrize("pruner", ["median", "hyperband", "halving"])
def test_a_pruner_across_epochs_saves_epochs(pruner: str, tiny_root: Path, tmp_path: Path) -> None:
    file = write_study(tmp_path, tiny_root, 20, f"pruner: {pruner}", epochs=9)
    _, records, trainer = search(file, tmp_path, storage="journal")
    pruned = [record for record in records if record["state"] == "pruned"]
    assert pruned
    assert trainer.epochs < 9 * 20
    for record in pruned:
        state = raw(RunFolder(tmp_path / "runs" / record["runs"][0]["signature"]), "state")
        assert state["state"] == "stopped"
        assert state["early_stopped"] is True
        assert state["epoch"] == len(record["intermediate"]) < 9
        assert record["reason"].startswith("given up after epoch ")


def test_two_objectives(tiny_root: Path, tmp_path: Path) -> None:
    more = "objectives: [mAP, seconds]"
    _, records, _ = search(write_study(tmp_path, tiny_root, 12, more, epochs=1), tmp_path, storage="journal")
    assert all(len(record["values"]) == 2 for record in records)
    for record in records:
        assert record["values"][1] == pytest.approx(10 * record["params"]["label_smoothing.epsilon"])


class Missing(Imagined):
    """Measures a metric of its own."""

    def _epoch(self, folder: RunFolder) -> tuple[Progressed, RunState]:
        told, state = super()._epoch(folder)
        if state == RunState.FINISHED:
            result = folder.require_result()
            folder.write_result(result.model_copy(update={"custom": {"miss_rate": 1 - result.scores.mAP}}))
        return told, state


def test_a_metric_of_ones_own_is_an_objective_in_its_own_direction(tiny_root: Path, tmp_path: Path) -> None:
    with miss_rate():
        file = write_study(tmp_path, tiny_root, 6, "objectives: [miss_rate]", epochs=1)
        _, records, _ = search(file, tmp_path, Missing, storage="journal")
        (objective,) = StudyPlan(file).objectives
    assert objective.direction == "minimize"
    for record in records:
        run = RunFolder(tmp_path / "runs" / record["runs"][0]["signature"])
        assert record["values"] == [pytest.approx(1 - run.require_result().scores.mAP)]


def test_an_objective_without_a_value_is_a_pruned_trial(tiny_root: Path, tmp_path: Path) -> None:
    more = "objectives: [mAP, oscillation]"
    _, records, _ = search(write_study(tmp_path, tiny_root, 2, more, epochs=1), tmp_path, storage="journal")
    assert [record["reason"] for record in records] == ["seed 0 has no oscillation"] * 2


class Stopped(Imagined):
    """Is told to stop in the middle of the third run."""

    def advance(self, timeout: float) -> Any:
        if self.epochs == 7 and not self.stopping:
            self.stop()
        return super().advance(timeout)


def test_what_was_stopped_goes_on_as_if_it_had_not_been(tiny_root: Path, tmp_path: Path) -> None:
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    file = write_study(tmp_path, tiny_root, 6, epochs=3)
    _, whole, _ = search(file, tmp_path / "whole", storage="journal")
    over, records, first = search(file, tmp_path / "stopped", Stopped, "journal")
    assert not over
    assert [record["state"] for record in records] == ["complete", "complete", "waiting"]
    over, records, second = search(file, tmp_path / "stopped", storage="journal")
    assert over
    assert first.epochs + second.epochs == 18
    told = ("number", "state", "values", "params", "runs", "intermediate")
    assert [{key: record[key] for key in told} for record in records] == [
        {key: record[key] for key in told} for record in whole
    ]
    over, _, third = search(file, tmp_path / "stopped", storage="journal")
    assert over
    assert third.epochs == 0


def test_trials_are_the_total(tiny_root: Path, tmp_path: Path) -> None:
    search(write_study(tmp_path, tiny_root, 3, epochs=1), tmp_path, storage="journal")
    over, records, trainer = search(write_study(tmp_path, tiny_root, 5, epochs=1), tmp_path, storage="journal")
    assert over
    assert len(records) == 5
    assert len(trainer.trained) == 2
    over, records, trainer = search(write_study(tmp_path, tiny_root, 2, epochs=1), tmp_path, storage="journal")
    assert (over, len(records), trainer.trained) == (True, 5, [])


CHANGED = {
    "knobs: {label_smoothing.epsilon: {low: 0, high: 0.5}, center_loss.weight: }": (
        r"knobs\.label_smoothing\.epsilon: the study was searched with 0 to 0\.3, found 0 to 0\.5"
    ),
    "knobs: {label_smoothing.epsilon: }": r"knobs\.center_loss\.weight: the study was searched with it, found none",
    "knobs: {label_smoothing.epsilon: , center_loss.weight: , triplet.margin: }": (
        r"knobs\.triplet\.margin: the study was searched without it"
    ),
    "objectives: [mINP]": r"objectives: the study was searched with \['mAP'\], found \['mINP'\]",
    "objectives: [mAP, seconds]": r"objectives: the study was searched with \['mAP'\], found \['mAP', 'seconds'\]",
    "seeds: [1]": r"seeds: the study was searched with \[0\], found \[1\]",
}


@pytest.mark.parametrize(("more", "words"), CHANGED.items())
def test_another_search_under_the_same_name_is_refused(more: str, words: str, tiny_root: Path, tmp_path: Path) -> None:
    search(write_study(tmp_path, tiny_root, 1, epochs=1), tmp_path, storage="journal")
    with pytest.raises(InputError, match=words) as caught:
        search(write_study(tmp_path, tiny_root, 2, more, epochs=1), tmp_path, storage="journal")
    assert "trials of two searches do not mix: restore it, or give the study another name" in str(caught.value)


def test_another_recipe_under_the_same_name_is_refused(tiny_root: Path, tmp_path: Path) -> None:
    search(write_study(tmp_path, tiny_root, 1, epochs=1), tmp_path, storage="journal")
    with pytest.raises(InputError, match=r"recipe\.schedule\.epochs: the study was searched with 1, found 2"):
        search(write_study(tmp_path, tiny_root, 1, epochs=2), tmp_path, storage="journal")
