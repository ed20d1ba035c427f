"""Shapley values against all orders."""

from itertools import permutations

import numpy as np
import pytest

from reid.analysis.ladder import ladder
from reid.analysis.shapley import shapley, shapley_contrasts
from reid.statistics.linear_model import analyse
from tests.helpers.grids_on_disk import FACTORS, make_table

EFFECTS = {"a": 0.03, "ab": 0.02, "cd": -0.03, "f": 0.01}


@pytest.mark.parametrize("seeds", [1, 2])
def test_values_add_up_to_all_minus_none(seeds: int) -> None:
    table = make_table(seeds=seeds, effects=EFFECTS)
    rungs = ladder(table, FACTORS, "mAP")["mean"]
    assert shapley(table, FACTORS, "mAP")["value"].sum() == pytest.approx(rungs.iloc[-1] - rungs.iloc[0])


def test_values_are_the_mean_over_all_orders() -> None:
    table = make_table(k=4, seeds=2, effects=EFFECTS)
    predicted = analyse(table, FACTORS[:4], "mAP")
    arms = list(predicted.position)
    mean = dict(zip(arms, predicted.infer_arms(arms, np.eye(16)).effect, strict=True))
    gains = np.zeros(4)
    for order in permutations(range(4)):
        arm = "0000"
        for i in order:
            longer = f"{arm[:i]}1{arm[i + 1 :]}"
            gains[i] += (mean[longer] - mean[arm]) / 24
            arm = longer
    assert shapley(table, FACTORS[:4], "mAP")["value"].to_numpy() == pytest.approx(gains)


def test_a_missing_run_is_bridged_by_the_model_and_the_sum_still_holds() -> None:
    table = make_table(seeds=2, effects=EFFECTS, noise=1e-6)
    table.loc[[0, 63], "state"] = "diverged"
    assert shapley(table, FACTORS, "mAP")["value"].sum() == pytest.approx(0.03, abs=1e-5)


def test_weights_of_a_row_cancel() -> None:
    assert shapley_contrasts(5).sum(axis=1) == pytest.approx(np.zeros(5))
