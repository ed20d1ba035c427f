"""What the runs of a grid say, for programs: tables in, tables out."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from reid.analysis.effects import effects as effects_of
from reid.analysis.interactions import interactions as interactions_of
from reid.analysis.ladder import ladder as ladder_of
from reid.analysis.runs_table import read_runs as read_grid
from reid.analysis.shapley import shapley as shapley_of
from reid.errors import InputError
from reid.store.plan import read_plan


def read_runs(folder: str | Path) -> pd.DataFrame:
    """A row a planned run of the grid in `folder` (`output/grids/<name>`): arm, levels, seed, state, metrics.

    Ranking metrics are fractions; see `reid.analysis.runs_table.read_runs` for all columns. The names of the factors
    and the design of the grid are kept in `attrs["factors"]` and `attrs["design"]`. Raises InputError where nothing is
    planned there.
    """
    grid = read_plan(Path(folder))
    table = read_grid(grid)
    table.attrs["factors"] = [factor.name for factor in grid.plan.factors]
    table.attrs["design"] = grid.plan.design
    return table


def effects(
    runs: pd.DataFrame, factors: Sequence[str] | None = None, metric: str = "mAP", matters: float | None = None
) -> pd.DataFrame:
    """Effect of each factor on `metric` with its interval and verdict; a row a factor.

    `runs` is a table as `read_runs` gives it; `factors` are all of its factors unless named. `matters` is from
    how much on an effect matters, in units of the metric (0.005 is half a point of mAP): without it no factor is said
    to have no effect. Columns and kinds: see `reid.analysis.effects.effects`.
    """
    names = _factors(runs, factors)
    asked = str(runs.attrs.get("design", "")) if names == runs.attrs.get("factors") else ""
    return effects_of(runs, names, metric, matters, asked=asked)


def interactions(runs: pd.DataFrame, factors: Sequence[str] | None = None, metric: str = "mAP") -> pd.DataFrame:
    """Interaction of every pair of factors: half of what the effect of one gains when the other is on."""
    return interactions_of(runs, _factors(runs, factors), metric)


def shapley(runs: pd.DataFrame, factors: Sequence[str] | None = None, metric: str = "mAP") -> pd.DataFrame:
    """Shapley value of every factor: what it brings, averaged over all orders of switching them on."""
    return shapley_of(runs, _factors(runs, factors), metric)


def ladder(runs: pd.DataFrame, order: Sequence[str] | None = None, metric: str = "mAP") -> pd.DataFrame:
    """One factor after another switched on, in `order`, by default that of the grid: a row a rung."""
    return ladder_of(runs, _factors(runs, order), metric)


def _factors(runs: pd.DataFrame, named: Sequence[str] | None) -> list[str]:
    factors = list(named) if named is not None else list(runs.attrs.get("factors", ()))
    if not factors:
        raise InputError("factors: the table does not say which of its columns are factors; name them")
    if unknown := [name for name in factors if name not in runs]:
        raise InputError(f"factors: no such column {unknown[0]!r} in the table; it has {', '.join(map(str, runs))}")
    return factors
