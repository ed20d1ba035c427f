"""Finished runs that learnt nothing: named on the first page, and part of every number."""

from pathlib import Path

import pytest

from reid.analysis.results import read_results
from reid.metrics.signs import Sign
from reid.report.grid.training import learning_warning
from tests.helpers.grids_on_disk import EFFECTS, TRICK_FACTORS, MakeGrid

pytestmark = pytest.mark.slow


def mark(grid: Path, arms: dict[str, tuple[Sign, ...]]) -> None:
    """Let the runs of these arms have learnt nothing."""
    results = read_results(grid)
    for arm, signs in arms.items():
        for signature in results.runs.loc[results.runs["arm"] == arm, "signature"]:
            folder = results.grid.run(signature)
            result = folder.require_result()
            low = result.scores.model_copy(update={"mAP": 0.05})
            folder.write_result(result.model_copy(update={"scores": low, "signs": signs}))


def test_runs_that_learnt_nothing_are_named_and_count(make_grid: MakeGrid) -> None:
    grid = make_grid(factors=TRICK_FACTORS[:3], effects=EFFECTS[:3], seeds=(0, 1), iterations=0)
    assert learning_warning(read_results(grid)) == []
    mark(grid, {"010": (Sign.ID_LOSS, Sign.RANKING), "011": (Sign.RANKING,)})
    results = read_results(grid)
    (alert,) = learning_warning(results)
    assert alert.body.startswith(
        "ID loss still at chance in 2 of 16 finished runs (010); mAP under twice that of a random order in 4 of 16 "
        "finished runs (010, 011). These runs count with the mAP they reached"
    )
    assert (results.runs["state"] == "finished").all()
    assert results.effects["mAP"]["effect"].to_dict()[results.names[0]] > 0.2, "half the arms without it have fallen"


def test_many_arms_are_counted_not_listed(make_grid: MakeGrid) -> None:
    grid = make_grid(factors=TRICK_FACTORS[:3], effects=EFFECTS[:3], iterations=0)
    mark(grid, dict.fromkeys(("000", "001", "010", "011", "100", "101"), (Sign.COLLAPSED,)))
    (alert,) = learning_warning(read_results(grid))
    assert "features collapsed to a point in 6 of 8 finished runs (000, 001, 010, 011 and 2 more)" in alert.body
