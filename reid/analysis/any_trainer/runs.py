"""A table of anyone's runs as the analysis takes it, with everything that was decided on the way in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from reid.analysis.any_trainer.asked import METRIC, Asked
from reid.analysis.any_trainer.levels import Levels, levels_of
from reid.analysis.any_trainer.rows import Rows
from reid.analysis.any_trainer.sheet import OUTPUTS, Sheet
from reid.analysis.any_trainer.states import find_state
from reid.errors import InputError

OWN = ("seed", "state", METRIC)  # columns of the table that are no factor


@dataclass(frozen=True)
class AnyRuns:
    """The runs: `table` has the factors (categories, the base first), seed, state and METRIC, a row a run.

    `heads` are the columns that were read, by what for. `notes` are what a reader must know before the numbers,
    `spellings` which labels were read as one. Runs that are not `paired` have a seed each, and all the same one in
    `table`.
    """

    where: str
    name: str
    created: str
    asked: Asked
    table: pd.DataFrame
    levels: Mapping[str, Levels]
    heads: Mapping[str, str]
    higher_is_better: bool
    notes: Sequence[str]
    spellings: Sequence[str]
    paired: bool

    @property
    def factors(self) -> list[str]:
        return list(self.levels)

    @cached_property
    def titles(self) -> dict[str, str]:
        """Each term in words, with its levels where they are not off and on."""
        found = {}
        for name, of in self.levels.items():
            for level in range(1, len(of.levels)):
                term = name if len(of.levels) == 2 else f"{name}={of.levels[level]}"
                found[term] = of.title(name, level)
        return found

    @property
    def seeding(self) -> str:
        """What stands for a seed, in words."""
        if not self.paired:
            unnamed = "; if runs share seeds, name their column with --seed" if self.asked.seed is None else ""
            return f"no seeds in common: every row of a combination is a run of its own, with noise of its own{unnamed}"
        count = self.table.loc[self.table["state"] == "finished", "seed"].nunique()
        return f"{count} seed{'s' * (count > 1)}, column {self.heads['seed']}"

    @property
    def values(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The metric of the runs that count."""
        return self.table.loc[self.table["state"] == "finished", METRIC].to_numpy(dtype=float)


def read_any_runs(sheet: Sheet, asked: Asked) -> AnyRuns:
    """The runs in a table. Raises InputError for columns that are not there, text where a number must be, a factor that
    is none, and where no run counts.
    """
    factors = {name: sheet.find(name, "factor") for name in asked.factors}
    if own := next((name for name in factors if name in OWN), None):
        raise InputError(
            f"--factors {own}: this name is kept for another column; give the column's whole head, or rename it"
        )
    metric = sheet.find(asked.metric, "metric", OUTPUTS)
    seed = None if asked.seed is None else sheet.find(asked.seed, "seed column")
    _once(sheet, {**factors, f"metric {asked.metric}": metric} | ({} if seed is None else {f"seed {asked.seed}": seed}))
    if unknown := next((name for name in asked.base if name not in factors), None):
        raise InputError(f"--base {unknown}={asked.base[unknown]}: must name one of --factors {','.join(factors)}")
    taken = {*factors.values(), metric, *(() if seed is None else (seed,))}
    state = find_state(sheet, taken) if asked.state is None else sheet.find(asked.state, "state column")
    if asked.finished and state is None:
        raise InputError(f"--finished {asked.finished[0]}: needs a column State or Status; name it in --state")
    rows = Rows(sheet, asked)
    rows.states(state)
    rows.values(metric)
    rows.seeds(seed)
    levels = {
        name: levels_of(sheet.column(place), name, sheet.where, asked.base.get(name)) for name, place in factors.items()
    }
    rows.arms(levels, {name: sheet.heads[place] for name, place in factors.items()})
    paired = seed is not None and rows.shares_seeds(sheet.heads[seed])
    rows.copies(paired)
    heads = {f"factor {name}": sheet.heads[place] for name, place in factors.items()}
    heads |= {"metric": sheet.heads[metric]} | ({} if seed is None else {"seed": sheet.heads[seed]})
    heads |= {} if state is None else {"state": sheet.heads[state]}
    higher = asked.more_is_better
    table = rows.table(levels)
    return AnyRuns(
        sheet.where,
        sheet.name,
        sheet.created,
        asked,
        table,
        levels,
        heads,
        higher,
        rows.notes,
        rows.spellings,
        paired,
    )


def _once(sheet: Sheet, places: Mapping[str, int]) -> None:
    for name, place in places.items():
        if other := next((other for other in places if other != name and places[other] == place), None):
            raise InputError(
                f"{sheet.where}: {name} and {other} must be two columns, found {sheet.heads[place]!r} for both"
            )
