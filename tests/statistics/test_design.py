"""Which design the planned arms are, and what its effects are aliased with."""

import numpy as np
import pandas as pd
import pytest

from reid.analysis.effects import effects
from reid.analysis.interactions import alias_sums, interactions
from reid.statistics.design import ALONE, AWAY, MAIN, STEP, design_of, saturated
from tests.helpers.grids_on_disk import FACTORS, make_table

TABLE = make_table(seeds=2, effects={"a": 0.04, "b": -0.03, "de": 0.04})
ON = TABLE["arm"].str.count("1")
CODES = TABLE[FACTORS].astype(int)
QUARTER = TABLE[
    (CODES["a"] ^ CODES["b"] ^ CODES["c"] ^ CODES["e"]).eq(0)
    & (CODES["b"] ^ CODES["c"] ^ CODES["d"] ^ CODES["f"]).eq(0)
]
LADDER = TABLE[TABLE["arm"].isin(["000000", "001000", "001001", "101001", "111001", "111011", "111111"])]


@pytest.mark.parametrize(
    ("table", "kind", "estimand"),
    [
        (TABLE, "full", MAIN),
        (TABLE[ON % 2 == 0], "fraction", MAIN),
        (QUARTER, "fraction", MAIN),
        (TABLE[ON >= 5], "leave-one-out", AWAY),
        (TABLE[ON <= 1], "add-one-in", ALONE),
        (LADDER, "ladder", STEP),
        (TABLE[ON == 3], "arms", MAIN),
    ],
    ids=["full", "half", "quarter", "leave-one-out", "add-one-in", "ladder", "arms"],
)
def test_kinds(table: pd.DataFrame, kind: str, estimand: str) -> None:
    design = design_of(table, FACTORS)
    assert (design.kind, design.estimand) == (kind, estimand)


def test_arms_that_were_left_out_do_not_make_another_design_of_what_was_asked_for() -> None:
    most = TABLE[TABLE["arm"] != "110011"]
    assert design_of(most, FACTORS).kind == "leave-one-out", "all that the arms alone can tell"
    design = design_of(most, FACTORS, "full")
    assert (design.kind, design.estimand) == ("arms", MAIN)
    rungs = TABLE[TABLE["arm"].isin(["000000", "100000", "111000", "111100", "111110", "111111"])]
    assert design_of(rungs, FACTORS).order is None
    assert design_of(rungs, FACTORS, "ladder").order == FACTORS
    whole = effects(TABLE, FACTORS, "mAP")["effect"]
    assert effects(most, FACTORS, "mAP", asked="full")["effect"].to_numpy() == pytest.approx(whole.to_numpy(), abs=2e-3)


def test_runs_that_are_not_finished_are_planned_all_the_same() -> None:
    table = TABLE.copy()
    table.loc[ON < 5, "state"] = "planned"
    assert design_of(table, FACTORS).kind == "full"


def test_a_half_fraction_of_six_has_resolution_six_and_nothing_aliased_among_pairs() -> None:
    design = design_of(TABLE[ON % 2 == 0], FACTORS)
    assert design.words == [(0, 1, 2, 3, 4, 5)]
    assert design.alias_groups == []


def test_what_a_quarter_cannot_tell_apart_is_never_shown_as_clean() -> None:
    design = design_of(QUARTER, FACTORS)
    assert design.words == [(0, 1, 2, 4), (0, 3, 4, 5), (1, 2, 3, 5)]
    found = interactions(QUARTER, FACTORS, "mAP")
    assert found["effect"].isna().all()
    sums = alias_sums(QUARTER, FACTORS, "mAP")
    assert "b×d + c×f" in sums.index
    # The planted pair is in one sum: half of 0.04.
    assert sums["low"]["a×f + d×e"] < 0.02 < sums["high"]["a×f + d×e"]


def test_a_main_effect_that_is_aliased_says_with_what() -> None:
    codes = TABLE[list("abc")].astype(int)
    third = TABLE[(codes["a"] ^ codes["b"] ^ codes["c"]).eq(1)]
    verdicts = effects(third, list("abc"), "mAP")["verdict"]
    assert verdicts["a"] == "not estimable: aliased with b×c in this design"


def test_effects_of_few_arms_are_the_steps_the_design_is_made_of() -> None:
    mean = TABLE.groupby("arm")["mAP"].mean()
    taken, added = effects(TABLE[ON >= 5], FACTORS, "mAP"), effects(TABLE[ON <= 1], FACTORS, "mAP")
    assert taken["effect"]["b"] == pytest.approx(mean["111111"] - mean["101111"])
    assert added["effect"]["b"] == pytest.approx(mean["010000"] - mean["000000"])
    climbed = effects(LADDER, FACTORS, "mAP")
    assert design_of(LADDER, FACTORS).order == ["c", "f", "a", "b", "e", "d"]
    assert climbed["effect"]["a"] == pytest.approx(mean["101001"] - mean["001001"])
    assert climbed["effect"]["d"] == pytest.approx(mean["111111"] - mean["111011"])


def test_an_arm_that_did_not_finish_makes_its_step_not_estimable() -> None:
    table = TABLE[ON >= 5].copy()
    table.loc[table["arm"] == "011111", "state"] = "failed"
    found = effects(table, FACTORS, "mAP")
    assert found["verdict"]["a"] == "not estimable: the 12 finished runs lack one of its two arms"
    assert found["effect"].notna().sum() == 5


def test_saturated_contrasts_are_orthogonal() -> None:
    signs = design_of(TABLE, FACTORS[:3]).signs
    matrix = saturated(signs)
    assert matrix is not None
    assert matrix @ matrix.T == pytest.approx(8 * np.eye(8))
    assert saturated(signs[:6]) is None
