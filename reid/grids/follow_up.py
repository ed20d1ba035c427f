"""What a planned fraction says that asks for more arms, and the grid with them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reid.analysis.interactions import alias_sums
from reid.analysis.runs_table import read_runs
from reid.errors import InputError
from reid.grids.designs.design import Arm, full_factorial
from reid.grids.designs.follow_up import follow_up
from reid.grids.grid import Grid
from reid.statistics.design import design_of
from reid.store.plan import Plan, read_plan

METRIC = "mAP"
SURE = 0.05  # false discovery rate of a sum of aliased effects that is taken to be there


def with_arms_of(grid: Grid, before: Plan | None) -> Grid:
    """The grid with the arms that followed it up in its plan `before`, so that they stay part of it."""
    if before is None or not before.follow_up:
        return grid
    every = {arm.name: arm for arm in full_factorial(grid.arms[0].recipe, grid.factors, grid.spec.trained)}
    here = {arm.name for arm in grid.arms}
    added = [every[name] for name in before.follow_up if name in every and name not in here]
    return _with(grid, added)


def followed_up(grid: Grid, folder: Path) -> tuple[Grid, str]:
    """The grid with the arms that its results ask for, and a line on why; as it is where they ask for none.

    Raises InputError where it is no fraction of two-level factors, is not planned, or follows itself up already.
    """
    if not (folder / "plan.json").exists():
        raise InputError(f"--follow-up: {folder} has no plan; train the grid first")
    planned = read_plan(folder)
    if planned.plan.follow_up:
        return grid, f"--follow-up: {len(planned.plan.follow_up)} arms follow this grid up already"
    names = [factor.name for factor in planned.plan.factors]
    table = read_runs(planned)
    design = design_of(table, names, planned.plan.design)
    if not design.alias_groups:
        raise InputError(
            "--follow-up: is for a half or a quarter, whose interactions cannot be told apart; in this grid "
            f"({planned.plan.design or design.kind}) nothing is confounded"
        )
    sums = alias_sums(table, names, METRIC)
    sure = (sums["q"] < SURE).to_numpy()
    if not sure.any():
        least = f"{sums['q'].min():.2g}" if sums["q"].notna().any() else "not known"
        return grid, f"--follow-up: no sum of confounded effects is told from 0 (least q {least}): nothing to separate"
    first = int(np.argmax(np.where(sure, sums["effect"].abs(), -1)))
    every = full_factorial(grid.arms[0].recipe, grid.factors, grid.spec.trained)
    try:
        added = follow_up(grid.arms, every, design.coding, design.alias_groups[first])
    except ValueError as error:
        raise InputError(f"--follow-up: {sums.index[first]}: {error}") from error
    why = f"--follow-up: {len(added)} arms tell {sums.index[first]} apart"
    return _with(grid, added), why


def _with(grid: Grid, added: Sequence[Arm]) -> Grid:
    return replace(grid, arms=[*grid.arms, *added], follow_up=tuple(arm.name for arm in added))
