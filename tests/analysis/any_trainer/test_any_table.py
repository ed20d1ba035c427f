"""Drawn tables with everything that is wrong in real ones: each ends in a verdict or in one line; and how often rows
without seeds are told a false sign.
"""

import csv
import random
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reid.analysis.any_trainer import Asked, read_any_runs, read_csv_file
from reid.analysis.any_trainer.asked import METRIC
from reid.analysis.any_trainer.verdict import AnyVerdict
from reid.analysis.any_trainer.words import headline, rows
from reid.analysis.verdict import LEVEL, Kind
from reid.errors import InputError
from reid.statistics.linear_model import Analysis, analyse

LABELS = ["on", "off", "0.1", "3", "soft", "True", "false", "a,b", ""]
STATES = ["finished"] * 8 + ["crashed", "running", ""]


def drawn_table(draw: random.Random, path: Path) -> list[str]:
    """A table of one to four factors in some of their combinations; returns the factors."""
    factors = [f"f{place}" for place in range(draw.choice([1, 2, 2, 3, 3, 4]))]
    levels = [draw.sample(LABELS, draw.choice([2, 2, 2, 3])) for _ in factors]
    arms = list(product(*levels))
    arms = arms if draw.random() < 0.6 else draw.sample(arms, draw.randint(1, len(arms)))
    size, constant, seeds = 10 ** draw.uniform(-8, 8), draw.random() < 0.1, draw.choice([1, 1, 2, 3, 5])
    lines: list[list[str]] = []
    for arm, seed in product(arms, range(seeds)):
        lost = draw.random()
        value = "" if lost < 0.05 else "nan" if lost < 0.1 else repr(1.0 if constant else size * draw.gauss(0, 1))
        seen = [*arm, str(seed) if draw.random() > 0.02 else "", draw.choice(STATES), value]
        lines += [seen] * draw.choice([0, *[1] * 8, 2])
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[*factors, "seed", "State", "acc"], *lines])
    return factors


@pytest.mark.parametrize("number", range(60))
def test_every_table_ends_in_a_verdict_or_a_line(number: int, tmp_path: Path) -> None:
    draw = random.Random(number)
    factors = drawn_table(draw, tmp_path / "runs.csv")
    asked = Asked(factors, "acc", draw.choice(["seed", "seed", None]), higher_is_better=draw.choice([True, False]))
    try:
        runs = read_any_runs(read_csv_file(tmp_path / "runs.csv"), asked)
    except InputError:
        return
    found = AnyVerdict(runs, draw.choice([None, 0.1]), pairs_nil=draw.random() < 0.2)
    table = found.effects
    assert len(rows(found)) == len(runs.titles) == len(table)
    assert headline(found)
    assert (table["p"].isna() == (table["kind"] == Kind.NOT_ESTIMABLE)).all()
    told = table["kind"].isin([Kind.HELPS, Kind.HURTS]) & ~table["verdict"].str.contains("divergence")
    assert (table["p_holm"][told] < LEVEL).all()
    assert found.best is None or found.best[0] in found.arms.index
    assert runs.paired or not (table["kind"] == Kind.ONE_SEED).any()


@pytest.mark.slow
def test_rows_without_seeds_are_seldom_told_a_false_sign() -> None:
    """Every run draws its seed, and effects of a trick vary from seed to seed by half of a run's noise: nothing is
    true, three rows a combination of 2^3.
    """
    codes = np.array(list(product((0, 1), repeat=3)) * 3)
    table = pd.DataFrame(codes.astype(bool), columns=list("abc")).assign(seed="", state="finished", **{METRIC: 0.0})
    coded = analyse(table, list("abc"), METRIC).coding
    draw, draws = np.random.default_rng(5), 4000
    varying = 0.5 * draw.standard_normal((len(codes), draws, 3))
    values = draw.standard_normal((len(codes), draws)) + (varying * (codes[:, None, :] - 0.5)).sum(axis=2)
    p = Analysis(coded, codes, np.zeros(len(codes)), values).infer_main().p
    told = (3 * p.min(axis=0) < LEVEL).mean()  # Holm's first step
    assert 0.03 < told < 0.06  # of 0.05; standard error of 4,000 draws 0.0034
