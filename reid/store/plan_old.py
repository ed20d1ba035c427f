"""A planned grid, as tracking needs it: which arm a run belongs to and which levels the arm has."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reid.errors import InputError


@dataclass(frozen=True)
class Grid:
    """The plan.json of a grid."""

    plan: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.plan["name"])

    @cached_property
    def factors(self) -> list[dict[str, Any]]:
        """In the order of the digits of an arm's name: {name, short, title, levels}; `short` is theirs alone."""
        shorts = Counter(factor["short"] for factor in self.plan["factors"])
        return [{**f, "short": f["short"] if shorts[f["short"]] == 1 else f["name"]} for f in self.plan["factors"]]

    @cached_property
    def runs(self) -> dict[str, dict[str, Any]]:
        """{signature, arm, seed} by signature, in launch order."""
        return {run["signature"]: run for run in self.plan["runs"]}

    @cached_property
    def _levels(self) -> dict[str, dict[str, Any]]:
        return {arm["arm"]: arm["levels"] for arm in self.plan["arms"]}

    def levels(self, arm: str) -> list[tuple[dict[str, Any], Any, int]]:
        """(factor, level, position of the level) for every factor; position 0 is the baseline's level."""
        chosen = [(factor, self._levels[arm][factor["name"]]) for factor in self.factors]
        return [(factor, level, factor["levels"].index(level)) for factor, level in chosen]

    def switched(self, arm: str) -> list[tuple[dict[str, Any], Any]]:
        """(factor, level) of the factors that differ from the baseline."""
        return [(factor, level) for factor, level, position in self.levels(arm) if position > 0]

    def seeds(self, arm: str) -> list[str]:
        """Signatures of an arm's runs."""
        return [signature for signature, run in self.runs.items() if run["arm"] == arm]


def read_grid(folder: Path) -> Grid:
    """The grid planned in `folder`. Raises InputError if nothing is planned there."""
    path = folder / "plan.json"
    try:
        return Grid(json.loads(path.read_text()))
    except FileNotFoundError:
        raise InputError(f"{path}: a grid's folder holds a plan.json, none found; plan it with `reid ablate`") from None


def planned_grids(output: Path) -> list[Path]:
    """Folders of all grids under an output folder, oldest first."""
    folders = [path.parent for path in (output / "grids").glob("*/plan.json")]
    return sorted(folders, key=lambda folder: (read_grid(folder).plan["created"], folder.name))
