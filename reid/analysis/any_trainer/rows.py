"""What each row of a table counts as, and why in words."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from reid.analysis.any_trainer.asked import METRIC, Asked
from reid.analysis.any_trainer.levels import MISSING, Levels, label
from reid.analysis.any_trainer.numbers import numbers
from reid.analysis.any_trainer.sheet import Sheet
from reid.analysis.any_trainer.states import states_of
from reid.errors import InputError

KEPT = ("finished", "diverged", "censored")  # states in which a run has had its turn


class Rows:
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
