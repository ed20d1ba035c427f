"""Which loss curves are shown, and how."""

import numpy as np
import pandas as pd
import pytest

from reid.analysis.runs_table import read_plan, read_runs
from reid.report.grid.loss_pairs import Pair, final_losses, pairs, smooth
from reid.statistics.factor_coding import Term
from tests.helpers.grids_on_disk import MakeGrid

BNNECK = Term(4, 1, "bnneck")


def test_pairs_differ_in_the_factor_only_and_span_none_to_all(make_grid: MakeGrid) -> None:
    grid = make_grid(iterations=60)
    shown, unread = pairs(read_plan(grid), read_runs(grid), BNNECK)
    assert unread == []
    assert [pair.arms for pair in shown][::2] == [("000000", "000010"), ("111101", "111111")]
    middle = shown[1].arms
    assert middle[0].count("1") in (2, 3)
    assert [i for i in range(6) if middle[0][i] != middle[1][i]] == [4]


def test_an_arm_without_curves_gives_way_to_the_next(make_grid: MakeGrid) -> None:
    grid = make_grid(iterations=60, seeds=(0, 1), outcomes={("000000", 0): "planned", ("111111", 0): "planned"})
    shown, _ = pairs(read_plan(grid), read_runs(grid), BNNECK)
    assert [pair.seed for pair in shown] == [1, 0, 1]


def test_curves_that_cannot_be_read_are_named(make_grid: MakeGrid) -> None:
    grid = make_grid(iterations=60)
    plan, table = read_plan(grid), read_runs(grid)
    signature = table["signature"].tolist()[0]
    (plan.run_folder(signature).path / "curves.parquet").write_bytes(b"PAR1 not")
    shown, unread = pairs(plan, table, BNNECK)
    assert len(shown) == 3
    assert len(unread) == 1
    assert unread[0].startswith(f"{signature}: curves.parquet cannot be read")


def test_no_curves_no_pairs(make_grid: MakeGrid) -> None:
    grid = make_grid(outcomes={(format(n, "06b"), 0): "planned" for n in range(64)})
    assert pairs(read_plan(grid), read_runs(grid), BNNECK) == ([], [])


def test_smoothing_keeps_a_straight_line_and_calms_noise() -> None:
    line = pd.Series(np.arange(100.0))
    assert smooth(line, 5)[10:90].to_numpy() == pytest.approx(line[10:90].to_numpy())
    noise = pd.Series(np.random.default_rng(0).normal(size=1000))
    assert smooth(noise, 25).std() == pytest.approx(1 / 5, rel=0.2)


def test_final_losses_are_the_last_tenth_and_a_loss_that_is_off_is_a_dash() -> None:
    frame = pd.DataFrame({"iteration": range(1, 101), "id_loss": [9.0] * 90 + [2.0] * 10, "triplet_loss": np.nan})
    rows = final_losses([Pair(("0", "1"), 3, (frame, frame))], ["alone"], ["off", "on"])
    assert rows[0][:5] == ["alone", "off", "3", "100", "2.000"]
    assert rows[0][6:] == ["–", "–"]
