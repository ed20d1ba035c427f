"""Importances of studies whose truth is known, from real in-memory studies."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import optuna
import pytest

from reid.statistics.fanova import Floats, main_variances
from reid.store.study import KnobImportance
from reid.studies.importance import FEWEST_TRIALS, Rows, against_noise, importances

pytestmark = pytest.mark.slow

SPACE = {
    "margin": optuna.distributions.FloatDistribution(0, 1),
    "weight": optuna.distributions.FloatDistribution(1e-5, 1e-2, log=True),
    "noise": optuna.distributions.FloatDistribution(0, 0.3),
    "loss": optuna.distributions.CategoricalDistribution(["hard", "soft"]),
}


def study_of(
    value: Callable[[dict[str, Any]], list[float]],
    trials: int,
    directions: Sequence[Literal["maximize", "minimize"]] = ("maximize",),
) -> optuna.Study:
    """Random trials of SPACE; half of them without the weight, as where 0 switches a knob off."""
    study = optuna.create_study(directions=directions)
    random = np.random.default_rng(trials)
    for n in range(trials):
        params: dict[str, Any] = {
            "margin": random.uniform(),
            "weight": 10 ** random.uniform(-5, -2),
            "noise": random.uniform(0, 0.3),
            "loss": random.choice(["hard", "soft"]).item(),
        }
        if n % 2:
            del params["weight"]
        known = {name: SPACE[name] for name in params}
        trial = optuna.trial.create_trial(params=params, distributions=known, values=value(params))
        study.add_trial(trial)
    return study


def margin_only(params: dict[str, Any]) -> list[float]:
    return [params["margin"] + 0.2 * (params["loss"] == "soft")]


def first_of(shares: dict[str, KnobImportance]) -> str:
    return max(shares, key=lambda name: shares[name].importance)


def test_shares_find_the_knobs_that_matter_by_both_methods() -> None:
    found = importances(study_of(margin_only, 80), draws=10, dealings=119)
    assert (found.n_trials, found.refused, found.others) == (80, None, ())
    for shares in (found.fanova, found.ped_anova):
        assert set(shares) == set(SPACE)
        assert sum(one.importance for one in shares.values()) == pytest.approx(1)
        assert first_of(shares) == "margin"
        assert shares["margin"].is_told
        assert not shares["noise"].is_told
        assert all(0 <= one.low <= one.importance <= one.high <= 1 for one in shares.values())
    # Variances 1/12 and 0.2 ** 2 / 4: shares 0.89 and 0.11.
    assert found.fanova["margin"].importance > 0.8
    assert found.fanova["noise"].high < 0.1


def test_a_log_knob_counts_by_its_logarithm_and_being_off_counts_too() -> None:
    def value(params: dict[str, Any]) -> list[float]:
        return [math.log10(params["weight"]) if "weight" in params else -5.5]

    assert importances(study_of(value, 60), draws=2, dealings=4).fanova["weight"].importance > 0.9


def test_each_of_two_objectives_has_its_own() -> None:
    def value(params: dict[str, Any]) -> list[float]:
        return [params["margin"], params["noise"]]

    found = importances(study_of(value, 60, ("maximize", "minimize")), draws=2, dealings=4)
    assert found.fanova["margin"].importance > 0.9
    (other,) = found.others
    assert other.fanova["noise"].importance > 0.9
    assert first_of(other.ped_anova) == "noise"


def test_the_same_study_gives_the_same_numbers() -> None:
    study = study_of(margin_only, FEWEST_TRIALS)
    assert importances(study, draws=2, dealings=4) == importances(study, draws=2, dealings=4)


def test_few_trials_are_refused_and_unfinished_ones_do_not_count() -> None:
    study = study_of(margin_only, FEWEST_TRIALS - 1)
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.PRUNED))
    found = importances(study)
    assert found.n_trials == 49
    assert str(found.refused).startswith("49 complete trials are too few: with fewer than 50 the methods contradict")


def test_trials_of_one_value_are_refused() -> None:
    assert "same value" in str(importances(study_of(lambda _: [0.5], FEWEST_TRIALS)).refused)
    rounded = study_of(lambda params: [0.5 + 1e-16 * params["margin"]], FEWEST_TRIALS)
    assert "same value" in str(importances(rounded).refused)


@pytest.mark.parametrize("knobs", [1, 4])
def test_noise_is_told_from_noise_as_rarely_as_is_said(knobs: int) -> None:
    """Whatever measures what a knob accounts for: here its correlation, as that takes no time."""
    names, random, told = [str(k) for k in range(knobs)], np.random.default_rng(knobs), 0
    for _ in range(1000):
        trials = random.normal(size=(50, knobs))

        def measure(rows: Rows, values: Floats, trials: Floats = trials) -> Floats:
            return np.asarray(np.abs(trials[rows].T @ (values - values.mean())))

        found = against_noise(measure, names, random.normal(size=50), draws=1, dealings=39)
        told += any(one.is_told for one in found.values())
    assert 0.01 <= told / 1000 <= 0.035, "half of 5 %, as there are two methods"


def test_studies_of_noise_name_no_knob_though_one_has_the_largest_share() -> None:
    named, largest = 0, []
    for seed in range(12):
        random = np.random.default_rng(seed)
        found = importances(study_of(lambda _, noise=random: [noise.normal()], 50), draws=1, dealings=39)  # type: ignore[misc]
        both = (found.fanova, found.ped_anova)
        named += any(one.is_told for shares in both for one in shares.values())
        largest.append(max(one.importance for shares in both for one in shares.values()))
    assert named <= 2
    assert np.median(largest) > 0.4


def test_shares_of_one_tree_are_those_of_optunas_evaluator() -> None:
    random = np.random.default_rng(0)
    x, noise = random.uniform(size=(80, 3)), random.normal(0, 0.1, 80)
    values = x[:, 0] ** 2 + 0.3 * x[:, 1] + noise
    study = optuna.create_study()
    space = {str(k): SPACE["margin"] for k in range(3)}
    for row, value in zip(x.tolist(), values.tolist(), strict=True):
        params = dict(zip(space, row, strict=True))
        study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=value))
    theirs = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=1, seed=0)
    )
    ours = main_variances(list(x.T), values, trees=1)
    assert (ours / ours.sum()).tolist() == pytest.approx([theirs[name] for name in space])


def test_choices_count_alike_however_often_they_were_tried() -> None:
    """Three choices worth 0, 0 and 3: over them the variance is 2, whatever else is turned."""
    random = np.random.default_rng(1)
    choice = random.choice(3, size=200, p=[0.6, 0.3, 0.1])
    values = 3.0 * (choice == 2)
    found = main_variances([random.uniform(size=200), np.eye(3)[choice]], values, trees=16)
    assert found.tolist() == pytest.approx([0, 2])
