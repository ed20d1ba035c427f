"""A grid folder read back, whatever state its runs are in."""

import json
from pathlib import Path

import pandas as pd
import pytest

from reid.analysis.runs_table import mixture, read_runs
from reid.errors import InputError
from reid.store.plan import FactorRecord, read_plan
from reid.tricks import TRICKS
from tests.helpers.grids_on_disk import EFFECTS, TRICK_FACTORS, MakeGrid

TWO = TRICK_FACTORS[:2]
COST = '{"train_seconds": 1, "evaluation_seconds": 1, "images_per_second": 1}'
SCORES = '{"mAP": 54.2, "mINP": 0.1, "rank1": 0.5, "rank5": 0.6, "rank10": 0.7}'
RANGE = f'{{"metrics": {SCORES}, "cost": {COST}}}'
COLUMNS = ["seed", "signature", "state", "mAP", "rank1", "rank5", "rank10", "mINP"]
COSTS = ["train_seconds", "images_per_second", "peak_memory_mb"]


def run_path(grid: Path, arm: str, seed: int = 0) -> Path:
    table = read_runs(read_plan(grid)).set_index(["arm", "seed"])
    return grid.parents[1] / "runs" / str(table.at[(arm, seed), "signature"])


def test_a_row_per_planned_run(make_grid: MakeGrid) -> None:
    table = read_runs(read_plan(make_grid(seeds=(0, 1))))
    assert list(table.columns) == [
        "arm",
        *TRICKS,
        *COLUMNS,
        *COSTS,
        "code",
        "fingerprint",
        "protocol",
        "reason",
        "signs",
    ]
    assert len(table) == 128
    assert all(pd.api.types.is_bool_dtype(table[name]) for name in TRICKS)
    row = table[(table["arm"] == "010010") & (table["seed"] == 1)].iloc[0]
    assert [name for name in TRICKS if row[name]] == ["random_erasing", "bnneck"]
    assert row["peak_memory_mb"] == pytest.approx(1073.741824)
    assert 0.5 < row["mAP"] < 0.8


def test_every_state_is_a_row_and_only_finished_runs_have_numbers(make_grid: MakeGrid) -> None:
    states = {"000000": "diverged", "000001": "failed", "000010": "planned", "000011": "running", "000100": "stopped"}
    table = read_runs(read_plan(make_grid(outcomes={(arm, 0): state for arm, state in states.items()}))).set_index(
        "arm"
    )
    assert table.loc[list(states), "state"].to_dict() == states
    assert table.loc[list(states), "mAP"].isna().all()
    assert table.at["000000", "reason"] == "loss is NaN at iteration 311"
    assert len(table) == 64


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("result.json", "{", "Expecting property name"),
        ("result.json", None, "result.json is missing"),
        ("result.json", RANGE, "mAP must be within 0..1, found 54.2"),
        ("result.json", '{"metrics": {}, "cost": {}}', "metrics.mAP: Field required"),
        ("result.json", "[]", "should be a valid dictionary"),
        ("state.json", '{"state": "done"}', "should be 'planned', 'running'"),
        ("state.json", "\0", "Expecting value"),
        ("run.json", None, "run.json is missing"),
        ("run.json", '{"code": "x"}', "signature: Field required"),
    ],
)
def test_a_corrupt_folder_is_an_unreadable_row(
    make_grid: MakeGrid, file: str, content: str | None, reason: str
) -> None:
    grid = make_grid(factors=TWO, effects=EFFECTS[:2])
    path = run_path(grid, "11") / file
    path.unlink() if content is None else path.write_text(content)
    row = read_runs(read_plan(grid)).set_index("arm").loc["11"]
    assert row["state"] == "unreadable"
    assert reason in row["reason"]
    assert path.parent.name in row["reason"]
    assert pd.isna(row["mAP"])


def test_a_run_that_failed_without_a_reason_shows_the_end_of_its_traceback(make_grid: MakeGrid) -> None:
    grid = make_grid(factors=TWO, effects=EFFECTS[:2], outcomes={("00", 0): "failed"})
    path = run_path(grid, "00") / "state.json"
    state = json.loads(path.read_text()) | {"reason": "", "error": "Traceback\n  ...\nValueError: no\n"}
    path.write_text(json.dumps(state))
    assert read_runs(read_plan(grid))["reason"].iloc[0] == "ValueError: no"


def test_other_levels_are_categories_in_the_order_of_the_plan(make_grid: MakeGrid) -> None:
    factors = [FactorRecord(name="backbone.name", levels=("resnet50", "resnet18"))]
    column = read_runs(read_plan(make_grid(factors=factors, effects=[0.1])))["backbone.name"]
    assert list(column.cat.categories) == ["resnet50", "resnet18"]
    assert list(column) == ["resnet50", "resnet18"]


def test_a_folder_without_a_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.json: a grid folder holds a plan\.json, found none"):
        read_plan(tmp_path)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(InputError, match="must be JSON"):
        read_plan(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(InputError, match=r"plan\.json: name: Field required"):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    ("column", "words"),
    [("code", "training code"), ("fingerprint", "data fingerprint"), ("protocol", "evaluation protocol")],
)
def test_runs_of_two_sources_are_a_mixture(make_grid: MakeGrid, column: str, words: str) -> None:
    table = read_runs(read_plan(make_grid(factors=TWO, effects=EFFECTS[:2])))
    assert mixture(table, list(table.columns[1:3])) == []
    table.loc[3, column] = "feedbeef"
    (found,) = mixture(table, list(table.columns[1:3]))
    assert found.startswith(f"{words}: ")
    assert f"feedbeef (1 runs, such as {table['signature'][3]})" in found


def test_a_planned_run_and_a_protocol_that_is_a_factor_are_no_mixture(make_grid: MakeGrid) -> None:
    table = read_runs(read_plan(make_grid(factors=TWO, effects=EFFECTS[:2], outcomes={("11", 0): "planned"})))
    table.loc[table["state"] == "planned", "code"] = "feedbeef"
    table.loc[0, "protocol"] = "metric euclidean"
    assert mixture(table, ["evaluation.metric"]) == []
