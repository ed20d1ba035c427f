"""Main effects and what is said of them."""

import numpy as np
import pandas as pd
import pytest

from reid.analysis.effects import effects
from reid.analysis.verdict import Kind
from tests.helpers.grids_on_disk import FACTORS, make_table


def test_an_effect_is_the_difference_of_two_means() -> None:
    table = make_table(seeds=2, effects={"a": 0.03})
    found = effects(table, FACTORS, "mAP")
    assert list(found.columns) == ["effect", "low", "high", "p", "p_holm", "kind", "verdict"]
    assert found["effect"]["a"] == pytest.approx(table[table["a"]]["mAP"].mean() - table[~table["a"]]["mAP"].mean())
    assert (found["low"] < found["effect"]).all()
    assert (found["effect"] < found["high"]).all()


def test_verdicts_follow_the_planted_truth() -> None:
    found = effects(make_table(seeds=3, effects={"a": 0.04, "b": -0.03}), FACTORS, "mAP", matters=0.01)
    assert found["kind"].tolist() == [Kind.HELPS, Kind.HURTS, *[Kind.NO_EFFECT] * 4]
    assert found["verdict"].tolist() == ["helps", "hurts", *["no effect that matters (1.0 points)"] * 4]


def test_without_a_word_on_what_matters_nothing_has_no_effect() -> None:
    found = effects(make_table(seeds=3, effects={"a": 0.04}), FACTORS, "mAP")
    assert found["kind"].tolist() == [Kind.HELPS, *[Kind.UNDECIDED] * 5]


def test_one_seed_speaks_of_itself_only() -> None:
    found = effects(make_table(seeds=1, effects={"a": 0.04}), FACTORS, "mAP", matters=0.01)
    assert (found["kind"] == Kind.ONE_SEED).all()
    assert found["verdict"]["a"] == "this seed only: helps"
    assert found["verdict"]["c"].startswith("this seed only: no effect that matters")


def test_a_factor_that_prevents_divergence_is_told_so_first() -> None:
    table = make_table(seeds=3)
    table.loc[~table["a"] & (table.index % 3 > 0), "state"] = "diverged"
    row = effects(table, FACTORS, "mAP").loc["a"]
    assert row["kind"] == Kind.HELPS
    assert row["verdict"].startswith("prevents divergence (0 of 96 against 64 of 96); among survivors ")


def test_a_small_fraction_answers_on_the_word_that_pairs_are_nil() -> None:
    table = make_table(k=5, seeds=3, effects={"a": 0.04})
    table = table[(table["a"] ^ table["b"] == table["d"]) & (table["a"] ^ table["c"] == table["e"])]
    assert (effects(table, FACTORS[:5], "mAP")["kind"] == Kind.NOT_ESTIMABLE).all()
    found = effects(table, FACTORS[:5], "mAP", pairs_nil=True)
    assert found["kind"].tolist() == [Kind.HELPS, *[Kind.UNDECIDED] * 4]


def test_too_little_data_cannot_tell_and_says_how_much_more_would() -> None:
    verdict = effects(make_table(k=2, seeds=2, effects={"a": 0.01}, random_seed=3), ["a", "b"], "mAP")["verdict"]["a"]
    assert verdict.startswith("cannot tell yet - ")
    assert "seeds would" in verdict


@pytest.mark.slow
def test_null_effects_are_called_in_at_most_5_percent_of_grids() -> None:
    called = [
        effects(make_table(k=3, seeds=2, random_seed=n), FACTORS[:3], "mAP")["kind"].isin(["helps", "hurts"]).any()
        for n in range(150)
    ]
    assert np.mean(called) <= 0.05


def test_a_factor_that_helps_only_with_another_depends_on_it() -> None:
    verdicts = effects(make_table(seeds=2, effects={"ab": 0.06, "b": -0.01, "c": 0.03}), FACTORS, "mAP")["verdict"]
    assert verdicts["a"].startswith("helps; depends on b (off ")
    assert "depends on a (off −" in verdicts["b"]
    assert verdicts["c"] == "helps"


def test_a_sure_interaction_that_does_not_change_the_call_is_not_a_dependence() -> None:
    verdicts = effects(make_table(seeds=3, effects={"a": 0.08, "b": 0.08, "ab": 0.02}), FACTORS, "mAP")["verdict"]
    assert verdicts["a"] == verdicts["b"] == "helps"


def test_levels_of_other_factors_are_named() -> None:
    table = make_table(seeds=2, effects={"ab": 0.06, "b": -0.03})
    table["b"] = pd.Categorical(np.where(table["b"], "resnet50", "resnet18"), categories=["resnet18", "resnet50"])
    assert "depends on b (resnet18 " in effects(table, FACTORS, "mAP")["verdict"]["a"]


def test_what_the_runs_cannot_estimate_is_nan_with_a_reason() -> None:
    table = make_table()
    table.loc[table["a"] | (table["arm"].str.count("1") > 2), "state"] = "planned"
    found = effects(table, FACTORS, "mAP")
    assert found[["effect", "low", "high", "p", "p_holm"]].isna().all().all()
    assert found["verdict"]["a"] == "not estimable: the 16 finished runs have it at one level only"
    assert found["verdict"]["b"] == "not estimable: the 16 finished runs do not separate it from the others"


def test_without_noise_to_measure_there_is_an_effect_but_no_verdict() -> None:
    found = effects(make_table(k=2), ["a", "b"], "mAP")
    assert found["effect"].notna().all()
    assert found["low"].isna().all()
    assert (found["verdict"] == "not estimable: no runs left over to measure the noise with; add a seed").all()


def test_no_finished_run_at_all() -> None:
    assert effects(make_table().assign(state="failed"), FACTORS, "mAP")["effect"].isna().all()
