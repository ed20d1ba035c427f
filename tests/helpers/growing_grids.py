"""Grids that grow by batches until a rule stops them, drawn from a truth; see `simulated_grids` for the arms."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reid.analysis.looks import StopRule, take_look
from reid.store.looks import LookRecord
from tests.helpers.simulated_grids import QUARTERS

FACTORS = list("abcdef")
BATCH, MOST = 16, 12


def batch(number: int, main: Sequence[float], sd: float, tau: float, random: np.random.Generator) -> pd.DataFrame:
    """A quarter of the grid with a seed of its own."""
    codes = QUARTERS[number % 4]
    own = np.array(main) + random.normal(0, tau, size=6)
    values = (codes - 0.5) @ own + random.normal(0, 2) + random.normal(0, sd, size=len(codes))
    return pd.DataFrame(codes.astype(bool), columns=FACTORS).assign(seed=number, state="finished", mAP=values)


def grow(main: Sequence[float], sd: float, tau: float, rule: StopRule, random_seed: int) -> list[LookRecord]:
    """The looks of one grid, from the first to the one that stopped it."""
    random = np.random.default_rng(random_seed)
    table = batch(0, main, sd, tau, random)
    looks: list[LookRecord] = []
    for number in range(1, MOST):
        table = pd.concat([table, batch(number, main, sd, tau, random)], ignore_index=True)
        looks.append(take_look(table, FACTORS, "mAP", rule, BATCH, looks))
        if looks[-1].stop:
            break
    return looks
