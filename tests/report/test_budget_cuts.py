"""Runs that a budget ended early: counted and shown apart, never averaged in, and their bias said."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reid.analysis.effects import effects
from reid.analysis.results import read_results
from reid.analysis.runs_table import read_runs
from reid.report import write_report
from reid.report.elements import Table
from reid.report.grid.budget_cuts import censored_section, censored_warning
from reid.store.plan import read_plan
from tests.helpers.grids_on_disk import EFFECTS, FACTORS, TRICK_FACTORS, MakeGrid, make_table

pytestmark = pytest.mark.slow

CUT = dict.fromkeys([("000", 0), ("000", 1), ("001", 1)], "censored")
THREE: dict[str, Any] = {"factors": TRICK_FACTORS[:3], "effects": EFFECTS[:3], "seeds": (0, 1), "iterations": 60}


def test_a_cut_run_is_a_row_of_its_own_state_without_numbers(make_grid: MakeGrid) -> None:
    table = read_runs(read_plan(make_grid(**THREE, outcomes=CUT)))
    cut = table[table["state"] == "censored"]
    assert set(zip(cut["arm"], cut["seed"], strict=True)) == set(CUT)
    assert cut[["mAP", "rank1", "train_seconds"]].isna().all().all()
    assert (cut["cut_epoch"] == 4).all()
    assert cut["cut_mAP"].between(0.7 * 0.5, 0.75 * 0.7).all()
    assert table.loc[table["state"] == "finished", ["cut_epoch", "cut_mAP"]].isna().all().all()


def test_a_cut_run_without_an_evaluation_has_no_last_map(make_grid: MakeGrid) -> None:
    grid = make_grid(**THREE, outcomes=CUT)
    signature = json.loads((grid / "plan.json").read_text())["runs"][0]["signature"]
    (grid.parents[1] / "runs" / signature / "evaluations.json").unlink()
    assert np.isnan(read_runs(read_plan(grid))["cut_mAP"][0])


def test_a_run_that_was_merely_stopped_is_not_cut(make_grid: MakeGrid) -> None:
    table = read_runs(read_plan(make_grid(**THREE, outcomes=dict.fromkeys(CUT, "stopped"))))
    assert table["state"].value_counts()["stopped"] == 3
    assert "cut_mAP" not in table


def test_the_report_counts_them_shows_them_apart_and_warns(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(**THREE, outcomes=CUT)
    page = re.sub(r"\s+", " ", write_report(grid, tmp_path, ["html"])[0].read_text())
    assert "3 of 16 runs were cut by the budget at epoch 4, because they looked worse than others" in page
    assert "1 of their arms have no finished run at all" in page
    assert "13 of 16 finished, 3 censored" in page
    results = read_results(grid)
    (section,) = censored_section(results)
    (table,) = section.elements
    assert isinstance(table, Table)
    rows = table.rows
    assert [row[1:4] for row in rows] == [["000", "0", "4"], ["000", "1", "4"], ["001", "1", "4"]]
    assert [row[5] for row in rows] == ["–", "–", f"{100 * results.arms['mAP'].to_dict()['001']:.1f}"]
    assert "cut_mAP" not in results.effects
    assert "cut_mAP" not in results.arms


def test_without_them_there_is_no_page_and_no_warning(make_grid: MakeGrid) -> None:
    results = read_results(make_grid(**THREE))
    assert censored_section(results) == []
    assert censored_warning(results) == []


def test_effects_are_those_of_the_other_runs(make_grid: MakeGrid) -> None:
    table = read_runs(read_plan(make_grid(**THREE, outcomes=CUT)))
    names = [factor.name for factor in TRICK_FACTORS[:3]]
    failed = table.assign(state=table["state"].replace("censored", "failed"))
    found, without = (effects(one, names, "mAP") for one in (table, failed))
    pd.testing.assert_frame_equal(found.drop(columns="verdict"), without.drop(columns="verdict"))


@pytest.mark.slow
def test_cutting_what_looks_worse_biases_effects_towards_no_difference() -> None:
    """What the first page says, measured: the better half of the runs by their value, as a budget would keep them."""
    found: dict[str, list[float]] = {"all": [], "kept": []}
    for draw in range(20):
        table = make_table(seeds=2, effects={"a": 0.02}, noise=0.02, random_seed=draw)
        within = table["mAP"] - 0.05 * table["seed"]
        cut = table.assign(state=np.where(within >= within.median(), "finished", "censored"))
        for name, one in (("all", table), ("kept", cut)):
            found[name].append(effects(one, FACTORS, "mAP")["effect"].to_list()[0])
    whole, kept = (float(np.mean(found[name])) for name in ("all", "kept"))
    assert abs(whole - 0.02) < 0.003
    assert 0 < kept < 0.75 * whole
