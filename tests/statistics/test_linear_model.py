"""The two models and the measure of noise: equal to statsmodels, and honest over thousands of simulated grids."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from reid.statistics.factor_coding import Coding
from reid.statistics.inference import holm
from reid.statistics.least_squares import Array
from reid.statistics.linear_model import Analysis, analyse
from tests.helpers.grids_on_disk import FACTORS, make_table

GRIDS = 2000
MARGINS = ["0.1", "0.3", "soft"]
TRUTH = np.array([0.5, -0.3, 0.2, 0.0, 0.0, 0.0])


SIX = Coding(tuple(FACTORS), (("off", "on"),) * 6)
SIGNS = np.where(SIX.every_arm() > 0, 1.0, -1.0)


def simulate(seeds: int, truth: Array) -> Analysis:
    """GRIDS six-factor grids with the main effects `truth`, seed shifts and noise of standard deviation 1."""
    random = np.random.default_rng(seeds)
    signs, blocks = np.tile(SIGNS, (seeds, 1)), np.repeat(np.arange(seeds), 64)
    shift = random.normal(0, 2, size=(seeds, GRIDS))[blocks]
    values = (signs @ truth / 2)[:, None] + shift + random.normal(size=(64 * seeds, GRIDS))
    return Analysis(SIX, np.tile(SIX.every_arm(), (seeds, 1)), blocks, values)


def coverage(analysis: Analysis, truth: Array) -> float:
    found = analysis.infer_main()
    return float(((found.low <= truth[:, None]) & (truth[:, None] <= found.high)).mean())


@pytest.mark.parametrize("seeds", [2, 3])
def test_intervals_of_replicated_grids_cover_the_truth_95_percent_of_the_time(seeds: int) -> None:
    assert 0.93 <= coverage(simulate(seeds, TRUTH), TRUTH) <= 0.97


def test_intervals_of_one_seed_cover_the_truth() -> None:
    """From the contrasts of more than two factors where there are enough of them."""
    analysis = simulate(1, TRUTH)
    assert analysis.noise.df == 42
    assert not analysis.over_seeds
    assert 0.93 <= coverage(analysis, TRUTH) <= 0.97


@pytest.mark.parametrize("factors", [3, 4])
def test_lenth_intervals_of_one_small_seed_cover_the_truth(factors: int) -> None:
    few = Coding(tuple(FACTORS[:factors]), (("off", "on"),) * factors)
    arms = few.every_arm()
    values = np.random.default_rng(factors).normal(size=(len(arms), GRIDS)) + arms[:, :1] * 5
    analysis = Analysis(few, arms, np.zeros(len(arms)), values)
    assert "Lenth" in analysis.noise.source
    assert 0.93 <= coverage(analysis, np.array([5.0, *[0] * (factors - 1)])) <= 0.97


def test_a_few_runs_of_a_second_seed_narrow_the_intervals_and_change_nothing_else() -> None:
    """Neither the noise of six runs alone, nor effects over two seeds."""
    whole = make_table(seeds=2, noise=0.01)
    widths = []
    for runs in (64, 70, 71, 80):
        found = analyse(whole.head(runs), FACTORS, "mAP")
        assert not found.over_seeds
        widths.append(float((found.infer_main().high - found.infer_main().low).mean()))
    assert widths[1:] == pytest.approx([widths[0]] * 3, rel=0.15)
    assert analyse(whole, FACTORS, "mAP").over_seeds


def test_a_constant_metric_has_no_effects_and_no_p() -> None:
    found = analyse(make_table(k=3, seeds=3).assign(mAP=0.3), FACTORS[:3], "mAP").infer_main()
    assert found.effect.tolist() == [0, 0, 0]
    assert np.isnan([*found.p, *found.low]).all()


@pytest.mark.parametrize("missing", [1, 20])
def test_intervals_of_an_incomplete_grid_cover_the_truth(missing: int) -> None:
    random = np.random.default_rng(missing)
    keep = np.sort(random.permutation(128)[missing:])
    values = (SIGNS[keep % 64] @ TRUTH / 2)[:, None] + random.normal(size=(len(keep), GRIDS))
    analysis = Analysis(SIX, SIX.every_arm()[keep % 64], keep // 64, values)
    assert analysis.over_seeds
    assert 0.93 <= coverage(analysis, TRUTH) <= 0.97


@pytest.mark.parametrize("seeds", [1, 2])
def test_holm_calls_an_effect_in_5_percent_of_grids_without_any(seeds: int) -> None:
    found = simulate(seeds, np.zeros(6)).infer_main()
    called = np.apply_along_axis(holm, 0, found.p).min(axis=0) < 0.05
    assert called.mean() <= 0.06  # 5 % and two standard errors of 2,000 grids


def test_effects_and_errors_equal_statsmodels_on_a_complete_grid() -> None:
    table = make_table(k=4, seeds=3, effects={"a": 0.03, "ab": 0.02})
    analysis = analyse(table, FACTORS[:4], "mAP")
    found = analysis.infer_main()
    numbers = table.astype(dict.fromkeys(FACTORS[:4], int))
    additive = smf.ols("mAP ~ C(seed) + a + b + c + d", numbers).fit()
    assert found.effect == pytest.approx(additive.params[FACTORS[:4]].to_numpy())
    # A seed's own effect is a difference of two means of eight runs; its spread over seeds is the error of the mean.
    own = np.array([[seed[seed[f]]["mAP"].mean() - seed[~seed[f]]["mAP"].mean() for f in FACTORS[:4]]
                    for _, seed in table.groupby("seed")])  # fmt: skip
    spread = own.var(axis=0, ddof=1).mean()
    assert found.df == pytest.approx([8] * 4)
    assert found.error == pytest.approx([np.sqrt(spread / 3)] * 4)
    pure = smf.ols("mAP ~ C(seed) + C(arm)", numbers).fit()
    assert analysis.noise.df == pure.df_resid - 8 == 22
    assert float(analysis.noise.sd) == pytest.approx(np.sqrt((pure.ssr - 4 * 8 * spread) / 22))


def test_an_incomplete_grid_equals_statsmodels_with_interactions() -> None:
    table = make_table(k=4, seeds=2, effects={"a": 0.03, "ab": 0.02}).drop(index=[3, 9, 20])
    coded = table.assign(**{name: table[name] - 0.5 for name in FACTORS[:4]})
    model = smf.ols("mAP ~ C(seed) + (a + b + c + d)**2", coded).fit()
    columns = np.array(pd.get_dummies(coded["arm"]).join(pd.DataFrame(
        {f"{f}{seed}": coded[f].where(coded["seed"] == seed, 0) for f in FACTORS[:4] for seed in range(2)}
    )).assign(seed=coded["seed"]), dtype=float)  # fmt: skip
    fitted, _, rank, _ = np.linalg.lstsq(columns, coded["mAP"])
    rest = coded["mAP"] - columns @ fitted
    analysis = analyse(table, FACTORS[:4], "mAP")
    found = analysis.infer_main()
    assert found.effect == pytest.approx(model.params[FACTORS[:4]].to_numpy())
    assert float(analysis.noise.sd) == pytest.approx(np.sqrt((rest**2).sum() / (len(coded) - rank)))
    assert found.scale == pytest.approx((model.bse / np.sqrt(model.mse_resid))[FACTORS[:4]].to_numpy())


def test_a_seed_that_has_hardly_begun_leaves_the_residual_of_the_model() -> None:
    table = make_table(k=4, seeds=2).head(18)
    coded = table.assign(**{name: table[name] - 0.5 for name in FACTORS[:4]})
    model = smf.ols("mAP ~ C(seed) + (a + b + c + d)**2", coded).fit()
    found = analyse(table, FACTORS[:4], "mAP").infer_main()
    assert np.column_stack([found.low, found.high]) == pytest.approx(model.conf_int().loc[FACTORS[:4]].to_numpy())
    assert found.p == pytest.approx(model.pvalues[FACTORS[:4]].to_numpy())


def test_a_run_that_is_not_finished_is_as_good_as_absent() -> None:
    table = make_table(seeds=2)
    gone = analyse(table.drop(index=5), FACTORS, "mAP")
    table.loc[5, "state"], table.loc[5, "mAP"] = "diverged", 0.001
    there = analyse(table, FACTORS, "mAP")
    assert there.effects_fit.coefficients == pytest.approx(gone.effects_fit.coefficients)
    assert there.noise.sd == pytest.approx(gone.noise.sd)


def test_a_seed_that_has_not_begun_is_no_seed() -> None:
    table = make_table(seeds=3)
    table.loc[table["seed"] == 2, "state"] = "planned"
    analysis = analyse(table, FACTORS, "mAP")
    assert (analysis.seeds, analysis.noise.df) == (2, 57)


def test_factors_of_more_than_two_levels_equal_statsmodels() -> None:
    """Contrasts against the base level, averaged evenly over the levels of the others."""
    random, rows = np.random.default_rng(0), []
    for seed, (i, margin), b, (j, c) in product(range(2), enumerate(MARGINS), (False, True), enumerate("xyz")):
        value = 0.1 * i + 0.05 * b * j + random.normal(0, 0.02)
        rows.append({"margin": margin, "b": b, "c": c, "seed": seed, "state": "finished", "mAP": value})
    table = pd.DataFrame(rows).astype({"margin": pd.CategoricalDtype(MARGINS), "c": pd.CategoricalDtype(list("xyz"))})
    found = analyse(table, ["margin", "b", "c"], "mAP").infer_main()
    model = smf.ols("mAP ~ C(seed) + C(margin) + C(b) + C(c)", table).fit()
    names = ["C(margin)[T.0.3]", "C(margin)[T.soft]", "C(b)[T.True]", "C(c)[T.y]", "C(c)[T.z]"]
    assert found.effect == pytest.approx(model.params[names].to_numpy())
    assert found.scale == pytest.approx((model.bse / np.sqrt(model.mse_resid))[names].to_numpy())


def test_a_placebo_has_an_effect_of_its_own_and_no_pairs() -> None:
    """In all combinations of six it is their product, and changes nothing of the others."""
    table = make_table(seeds=3, effects={"a": 0.03, "ab": 0.02})
    table["placebo"] = table[FACTORS].sum(axis=1) % 2 == 1
    found = analyse(table, [*FACTORS, "placebo"], "mAP")
    assert len(found.coding.pairs) == 15
    real, seven = analyse(table, FACTORS, "mAP").infer_main().effect, found.infer_main().effect
    assert seven[:6] == pytest.approx(real)
    assert seven[6] == pytest.approx(table[table["placebo"]]["mAP"].mean() - table[~table["placebo"]]["mAP"].mean())
