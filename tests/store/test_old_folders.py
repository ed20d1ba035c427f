"""Run folders and plans of before, written without a schema and with the words of their time, are read as they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from reid.analysis.runs_table import read_runs
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState

DATASET = {
    "name": "day", "layout": "market1501", "root": "/data/day", "fingerprint": "0123456789abcdef",
    "counts": {"train": {"identities": 40, "images": 640, "cameras": 4}}, "skipped": ["a.jpg: truncated JPEG"],
    "notes": [], "split": None,
}  # fmt: skip
RECIPE = {
    "schedule": {"epochs": 12},
    "evaluation": {"feature": "before", "metric": "euclidean", "rerank": False, "rerank_k1": 20},
}
RUN: dict[str, Any] = {
    "signature": "a" * 16, "recipe": RECIPE, "seed": 0, "dataset": DATASET, "code": "c0de" * 4,
    "environment": {"python": "3.11.9", "torch": "2.4.0", "device": "cpu", "threads": 2, "host": "old"},
    "created": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
STATE = {
    "state": "finished", "epoch": 12, "epochs": 12, "reason": None, "error": None, "attempts": 1,
    "started": 1767225600.0, "updated": 1767226200.0,
}  # fmt: skip
SCORES = {"mAP": 0.6, "mINP": 0.3, "rank1": 0.8, "rank5": 0.9, "rank10": 1.0}
RESULT = {
    "metrics": SCORES, "cmc": [0.8], "queries": 60, "valid_queries": 60,
    "cost": {"train_seconds": 240.0, "evaluation_seconds": 9.0, "images_per_second": 32.0, "peak_memory_bytes": 2**30},
}  # fmt: skip
PLAN: dict[str, Any] = {
    "name": "old", "title": "", "question": "", "created": "2026-01-01T00:00:00+00:00", "command": "reid ablate old",
    "yaml": "name: old\n", "seeds": [0], "dataset": DATASET,
    "factors": [{"name": "batch.images", "short": "images", "title": "batch.images", "levels": [4, 8]}],
    "arms": [{"arm": "0", "levels": {"batch.images": 4}, "recipe": RECIPE},
             {"arm": "1", "levels": {"batch.images": 8}, "recipe": RECIPE}],
    "runs": [{"signature": "a" * 16, "arm": "0", "seed": 0}, {"signature": "b" * 16, "arm": "1", "seed": 0}],
}  # fmt: skip


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """One grid of two runs: a finished one, and one that a budget stopped."""
    write(tmp_path / "grids" / "old" / "plan.json", PLAN)
    first, second = (tmp_path / "runs" / name for name in ("a" * 16, "b" * 16))
    for folder, state in ((first, STATE), (second, STATE | {"state": "stopped", "epoch": 4, "censored": True})):
        write(folder / "run.json", RUN | {"signature": folder.name})
        write(folder / "state.json", state)
        write(folder / "evaluations.json", [{"epoch": 4, **SCORES, "mAP": 0.2}])
    write(first / "result.json", RESULT)
    return tmp_path


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def test_a_finished_run_has_its_numbers(output: Path) -> None:
    folder = RunFolder(output / "runs" / ("a" * 16))
    result, asked = folder.require_result(), folder.require_run()
    assert result.scores.model_dump() == SCORES
    assert result.cost.peak_memory_mb == pytest.approx(1073.741824)
    assert (result.custom, result.domains, result.dynamics) == ({}, {}, {})
    assert asked.recipe.epochs == 12
    assert asked.dataset.counts["train"].images == 640
    assert folder.read_state().state == RunState.FINISHED


def test_words_of_before_mean_what_they_meant(output: Path) -> None:
    folder = RunFolder(output / "runs" / ("b" * 16))
    assert folder.read_state().early_stopped
    write(folder.path / "state.json", STATE | {"state": "failed", "held": True})
    assert folder.read_state().quarantined


def test_a_plan_without_its_design_and_with_numbers_for_levels_is_read(output: Path) -> None:
    grid = read_plan(output / "grids" / "old")
    assert grid.plan.design == ""
    assert grid.plan.factors[0].levels == ("4", "8")
    table = read_runs(grid).set_index("arm")
    assert table["state"].to_dict() == {"0": "finished", "1": "censored"}
    assert list(table["batch.images"]) == ["4", "8"]
    assert (table.at["0", "mAP"], table.at["1", "cut_mAP"]) == (0.6, 0.2)
    assert table.at["0", "protocol"] == "metric euclidean, rerank False"
