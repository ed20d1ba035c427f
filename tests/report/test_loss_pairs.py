"""Which loss curves are shown, and how."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reid.analysis.results import read_results
from reid.analysis.runs_table import read_runs
from reid.report.elements import Figure, Table
from reid.report.grid.loss_pairs import Pair, final_losses, pairs
from reid.report.grid.training import loss_curves
from reid.statistics.factor_coding import Term
from reid.store.measured import active_losses, loss_title, smooth
from reid.store.plan import read_plan
from tests.helpers.grids_on_disk import TRICK_FACTORS, MakeGrid

BNNECK = Term(4, 1, "bnneck")


def test_pairs_differ_in_the_factor_only_and_span_none_to_all(make_grid: MakeGrid) -> None:
    grid = make_grid(iterations=60)
    shown, unread = pairs(read_plan(grid), read_runs(read_plan(grid)), BNNECK)
    assert unread == []
    assert [pair.arms for pair in shown][::2] == [("000000", "000010"), ("111101", "111111")]
    middle = shown[1].arms
    assert middle[0].count("1") in (2, 3)
    assert [i for i in range(6) if middle[0][i] != middle[1][i]] == [4]


def test_an_arm_without_curves_gives_way_to_the_next(make_grid: MakeGrid) -> None:
    grid = make_grid(iterations=60, seeds=(0, 1), outcomes={("000000", 0): "planned", ("111111", 0): "planned"})
    shown, _ = pairs(read_plan(grid), read_runs(read_plan(grid)), BNNECK)
    assert [pair.seed for pair in shown] == [1, 0, 1]


def test_curves_that_cannot_be_read_are_named(make_grid: MakeGrid) -> None:
    grid = make_grid(iterations=60)
    plan, table = read_plan(grid), read_runs(read_plan(grid))
    signature = table["signature"].tolist()[0]
    (plan.run(signature).path / "curves.parquet").write_bytes(b"PAR1 not")
    shown, unread = pairs(plan, table, BNNECK)
    assert len(shown) == 3
    assert len(unread) == 1
    assert unread[0].startswith(f"{signature}: curves.parquet cannot be read")


def test_no_curves_no_pairs(make_grid: MakeGrid) -> None:
    grid = make_grid(outcomes={(format(n, "06b"), 0): "planned" for n in range(64)})
    assert pairs(read_plan(grid), read_runs(read_plan(grid)), BNNECK) == ([], [])


def test_smoothing_keeps_a_straight_line_and_calms_noise() -> None:
    line = pd.Series(np.arange(100.0))
    assert smooth(line, 5)[10:90].to_numpy() == pytest.approx(line[10:90].to_numpy())
    noise = pd.Series(np.random.default_rng(0).normal(size=1000))
    assert smooth(noise, 25).std() == pytest.approx(1 / 5, rel=0.2)


def test_final_losses_are_the_last_tenth_and_a_loss_that_is_off_is_a_dash() -> None:
    frame = pd.DataFrame({"iteration": range(1, 101), "id_loss": [9.0] * 90 + [2.0] * 10, "triplet_loss": np.nan})
    losses = ["id_loss", "triplet_loss"]
    rows = final_losses([Pair(("0", "1"), 3, (frame, frame))], losses, ["alone"], ["off", "on"])
    assert rows[0][:5] == ["alone", "off", "3", "100", "2.000"]
    assert rows[0][6:] == ["–", "–"]


def test_losses_are_those_that_are_on_in_a_run_a_users_own_among_them() -> None:
    on, off = [1.0, 0.5], [np.nan, np.nan]
    one = pd.DataFrame({"id_loss": off, "triplet_loss": on, "circle_loss": off, "total_loss": on, "id_weighted": on})
    two = pd.DataFrame({"id_loss": on, "triplet_loss": off, "circle_loss": off, "total_loss": on, "arcface_loss": on})
    assert active_losses([one, two]) == ["id_loss", "triplet_loss", "arcface_loss"]
    assert active_losses([two[["arcface_loss", "total_loss"]] * np.nan]) == ["arcface_loss"], "it diverged at once"
    assert [loss_title(name) for name in ("id_loss", "center_loss", "arcface_loss")] == [
        "ID loss",
        "centre loss",
        "arcface loss",
    ]


def test_the_page_has_every_loss_that_is_on(make_grid: MakeGrid, tmp_path: Path) -> None:
    results = read_results(make_grid(factors=TRICK_FACTORS[4:], effects=(0.04, 0.0), iterations=60))
    for signature in results.runs["signature"]:
        folder = results.grid.run(signature)
        curves = folder.curves()
        assert curves is not None
        folder.write_curves(curves.drop(columns="triplet_loss").assign(arcface_loss=np.linspace(3, 1, len(curves))))
    figure, table = loss_curves(results, tmp_path).elements
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    heads = [column.title for column in table.columns]
    assert heads[4:] == ["ID loss", "±", "arcface loss", "±"]
    drawn = (tmp_path / figure.file).read_text()
    assert [f">{name}<" in drawn for name in ("ID loss", "arcface loss", "triplet loss")] == [True, True, False]
    assert all(len(row) == len(heads) for row in table.rows)
