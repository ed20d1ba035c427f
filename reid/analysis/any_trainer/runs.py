"""A table of anyone's runs as the analysis takes it, with everything that was decided on the way in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from reid.analysis.any_trainer.levels import MISSING, Levels, label, levels_of
from reid.analysis.any_trainer.numbers import numbers
from reid.analysis.any_trainer.sheet import OUTPUTS, Sheet
from reid.analysis.any_trainer.states import find_state, states_of
from reid.errors import InputError
from reid.metrics.spec import spec_of

METRIC = "outcome"  # the metric's column in the table: a name without a unit
OWN = ("seed", "state", METRIC)  # columns of the table that are no factor
KEPT = ("finished", "diverged", "censored")  # states in which a run has had its turn
ERRORS = ("loss", "error", "err", "wer", "cer", "mae", "mse", "rmse", "fid", "eer", "perplexity", "ppl")
COSTS = ("latency", "seconds", "time", "duration", "memory", "cost")


@dataclass(frozen=True)
class Asked:
    """What a user says of a table: names of columns, words of its states that count as finished, base levels."""

    factors: Sequence[str]
    metric: str
    seed: str | None = None
    state: str | None = None
    finished: Sequence[str] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    higher_is_better: bool | None = None


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
            return "no seed is shared, so every row of a combination is a run of its own"
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
    rows = _Rows(sheet, asked)
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
    higher = _direction(asked)
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


def _direction(asked: Asked) -> bool:
    """Whether more of the metric is better: as said, as registered, else yes unless its name speaks of a cost."""
    if asked.higher_is_better is not None:
        return asked.higher_is_better
    spec = spec_of(asked.metric)
    if spec is not None and spec.higher_is_better is not None:
        return spec.higher_is_better
    words = asked.metric.casefold().replace("_", " ").replace("/", " ").replace(".", " ").replace("-", " ").split()
    if cost := next((word for word in words if word in ERRORS + COSTS), None):
        raise InputError(
            f"--metric {asked.metric}: a {cost} may be better lower; say --lower-is-better or --higher-is-better"
        )
    return True


class _Rows:
    """The rows of a sheet while it is decided what each of them counts as."""

    def __init__(self, sheet: Sheet, asked: Asked) -> None:
        self.sheet, self.asked = sheet, asked
        self.kept = list(range(len(sheet.rows)))
        self.state = ["finished"] * len(sheet.rows)
        self.value = [float("nan")] * len(sheet.rows)
        self.seed = [""] * len(sheet.rows)
        self.arm: list[tuple[str, ...]] = []
        self.notes: list[str] = []
        self.spellings: list[str] = []

    def states(self, place: int | None) -> None:
        if place is None:
            return
        self.state = states_of(self.sheet, place, self.asked.finished)
        words = Counter(cell.casefold() or "empty" for cell in self.sheet.column(place))
        not_counted = Counter(
            self.sheet.column(place)[row].casefold() or "without a state"
            for row in self.kept
            if self.state[row] != "finished"
        )
        if not_counted:
            listed = ", ".join(f"{count} {word}" for word, count in not_counted.items())
            self.notes.append(
                f"{not_counted.total()} of {words.total()} runs are not finished ({listed}, by column "
                f"{self.sheet.heads[place]}): they are counted as runs, and their last value is not used."
            )

    def values(self, place: int) -> None:
        finished = [row for row in self.kept if self.state[row] == "finished"]
        found = numbers(self.sheet, place, finished)
        lost = [row for row, value in found.items() if value is None]
        burst = [row for row, value in found.items() if value is not None and not np.isfinite(value)]
        for row, value in found.items():
            self.value[row] = float("nan") if value is None or row in burst else value
            self.state[row] = "unknown" if value is None else "diverged" if row in burst else "finished"
        if lost:
            self.notes.append(f"{_runs(lost)} no value of {self.asked.metric} ({self._listed(lost)}): not used.")
        if burst:
            self.notes.append(
                f"{_runs(burst)} NaN or infinity for {self.asked.metric} ({self._listed(burst)}): counted as diverged."
            )

    def seeds(self, place: int | None) -> None:
        if place is None:
            return
        cells = self.sheet.column(place)
        self.seed = [label(cell) for cell in cells]
        self._leave_out([row for row in self.kept if cells[row].casefold() in MISSING], f"no {self.sheet.heads[place]}")

    def arms(self, levels: Mapping[str, Levels], heads: Mapping[str, str]) -> None:
        for name, of in levels.items():
            self._leave_out([row for row in self.kept if of.rows[row] is None], f"no label in {heads[name]}")
            for same in of.merged:
                self.spellings.append(f"{name}: {' and '.join(map(repr, same))} are read as one level.")
        self.arm = list(zip(*(tuple(level or "" for level in of.rows) for of in levels.values()), strict=True))

    def shares_seeds(self, head: str) -> bool:
        """Whether runs can be paired: some seed is that of two arms, or there is one only. If not, none is kept."""
        arms = [{self.arm[row] for row in rows} for rows in self._grouped(self.seed)]
        if len(arms) < 2 or any(len(of) > 1 for of in arms):
            return True
        self.seed = [""] * len(self.seed)
        self.notes.append(f"No two combinations share a seed of column {head}: runs are not paired.")
        return False

    def copies(self, paired: bool) -> None:
        """Decide on rows that are of one arm and one seed."""
        if not paired:
            cells = list(zip(*self.sheet.columns, strict=True))
            same = [rows for rows in self._grouped(cells) if len(rows) > 1]
            if same:
                self.notes.append(
                    f"Rows that are alike in every cell ({self._listed(same[0])}) count as runs of their own, as no "
                    "seed tells them apart; if they are copies, remove them."
                )
            return
        again: list[int] = []
        copied: list[int] = []
        averaged: list[int] = []
        gone: set[int] = set()
        for rows in self._grouped(list(zip(self.arm, self.seed, strict=True))):
            had = [row for row in rows if self.state[row] in KEPT]
            again += [row for row in rows if row not in had] if had else rows[1:]
            finished = [row for row in had if self.state[row] == "finished"]
            if len(finished) < 2:
                continue
            values = [self.value[row] for row in finished]
            (copied if len(set(values)) == 1 else averaged).extend(finished)
            self.value[finished[0]] = float(np.mean(values))
            gone.update(finished[1:])
        self._drop({*gone, *again})
        if again:
            self.notes.append(
                f"{_runs(again)} another row of the same arm and seed that stands for it ({self._listed(again)})."
            )
        if copied:
            self.notes.append(
                f"Rows of one arm, seed and value ({self._listed(copied)}) are copies: each is counted once."
            )
        if averaged:
            self.notes.append(
                f"Rows of one arm and seed with different values ({self._listed(averaged)}): their mean counts as one "
                "run. If the seed column does not tell runs apart, leave --seed out."
            )

    def table(self, levels: Mapping[str, Levels]) -> pd.DataFrame:
        """The kept rows. Raises InputError where none of them is finished."""
        if not any(self.state[row] == "finished" for row in self.kept):
            counts = Counter(self.state[row] for row in self.kept)
            found = ", ".join(f"{count} {state}" for state, count in counts.items()) or "no row that can be placed"
            raise InputError(
                f"{self.sheet.where}: a verdict needs a finished run with a value of {self.asked.metric}, found "
                f"{found}; see --state and --finished"
            )
        columns = {
            name: pd.Categorical([of.rows[row] for row in self.kept], categories=list(of.levels))
            for name, of in levels.items()
        }
        return pd.DataFrame(
            {
                **columns,
                "seed": [self.seed[row] for row in self.kept],
                "state": [self.state[row] for row in self.kept],
                METRIC: [self.value[row] for row in self.kept],
            }
        )

    def _leave_out(self, rows: Sequence[int], why: str) -> None:
        if rows:
            self._drop(set(rows))
            self.notes.append(f"{_runs(rows)} {why} ({self._listed(rows)}): left out.")

    def _drop(self, rows: set[int]) -> None:
        self.kept = [row for row in self.kept if row not in rows]

    def _grouped(self, keys: Sequence[object]) -> list[list[int]]:
        groups: dict[object, list[int]] = {}
        for row in self.kept:
            groups.setdefault(keys[row], []).append(row)
        return list(groups.values())

    def _listed(self, rows: Sequence[int]) -> str:
        few = ", ".join(self.sheet.rows[row] for row in rows[:4])
        return few if len(rows) <= 4 else f"{few}, …"


def _runs(rows: Sequence[int]) -> str:
    return f"{len(rows)} run has" if len(rows) == 1 else f"{len(rows)} runs have"
