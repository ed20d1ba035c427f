"""plan.json: a grid as it was planned, read in this one place."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from reid.files import DamagedFileError, require_record
from reid.registry import Plugin
from reid.store.looks import read_looks
from reid.store.run_folder import RunFolder
from reid.store.run_records import DatasetRecord, FileRecord, RecipeRecord, Record, Shown

SWITCH = ("off", "on")
LISTED = "variant"  # the one factor of a grid that lists its arms
Label = Annotated[str, BeforeValidator(str)]


class FactorRecord(Record):
    """What a grid switches. The first level is the base."""

    name: str
    short: str = ""
    title: str = ""
    levels: tuple[Label, ...]

    @property
    def is_switch(self) -> bool:
        return self.levels == SWITCH

    @property
    def head(self) -> str:
        """What it is called at the head of a column."""
        return self.short or self.name


class ArmRecord(Record):
    """A combination of levels. `arm` has a digit a factor, the position of its level: 110100."""

    arm: str
    levels: dict[str, Label]
    recipe: RecipeRecord = RecipeRecord({})
    placebo: Annotated[bool, Field(description="whether it draws from other random streams")] = False


class PlannedRun(Record):
    """An arm with a seed. `shares` is the run whose training it shares."""

    signature: str
    arm: str
    seed: int
    shares: str | None = None


class UntilRecord(Record):
    """When a grid that grows by batches has enough: every factor decided, or every interval narrow."""

    half_width: Annotated[float | None, Field(description="of every interval, in points; null: until decided")] = None
    at_most: Annotated[int, Field(description="runs, whole batches")]
    batch: Annotated[int, Field(description="runs of a batch; each has a seed of its own")]


@dataclass(frozen=True)
class ChosenLevel:
    """The level of one factor in an arm; position 0 is the base."""

    factor: FactorRecord
    label: str
    position: int


class Plan(FileRecord):
    """plan.json: the grid, its arms, and its runs in launch order; of one that grows by batches, those so far."""

    name: str
    title: str = ""
    question: str = ""
    command: Shown = ""
    created: Annotated[str, Field(description="ISO 8601 with a zone")] = "1970-01-01T00:00:00+00:00"
    yaml: Annotated[Shown, Field(description="the grid file as it was")] = ""
    design: Annotated[str, Field(description="as the grid file says it; empty of plans made before it was kept")] = ""
    matters: Annotated[float | None, Field(description="points of mAP from which on an effect matters")] = None
    until: Annotated[UntilRecord | None, Field(description="of a grid that grows by batches")] = None
    pairs_nil: Annotated[bool, Field(description="interactions of two factors are taken to be nil")] = False
    factors: tuple[FactorRecord, ...]
    seeds: tuple[int, ...]
    budget: dict[str, dict[str, int]] = Field({})
    dataset: DatasetRecord | None = None
    arms: tuple[ArmRecord, ...]
    runs: tuple[PlannedRun, ...]
    follow_up: Annotated[tuple[str, ...], Field(description="arms that follow a fraction up")] = ()
    left_out: dict[str, str] = Field({}, description="arms that break a rule of a trick, and the rule")
    plugins: tuple[Plugin, ...] = ()

    @cached_property
    def run_by_signature(self) -> dict[str, PlannedRun]:
        """In launch order."""
        return {run.signature: run for run in self.runs}

    @cached_property
    def arm_by_name(self) -> dict[str, ArmRecord]:
        return {arm.arm: arm for arm in self.arms}

    @property
    def has_placebo(self) -> bool:
        """Whether some arms draw from other random streams, which is a factor that changes nothing."""
        return any(arm.placebo for arm in self.arms)

    @cached_property
    def shorts(self) -> dict[str, str]:
        """By factor, a short name that is its alone."""
        shorts = Counter(factor.short or factor.name for factor in self.factors)
        return {f.name: f.short if f.short and shorts[f.short] == 1 else f.name for f in self.factors}

    def levels(self, arm: str) -> list[ChosenLevel]:
        """The level of every factor in an arm, in the order of the digits of its name."""
        chosen = [(factor, self.arm_by_name[arm].levels[factor.name]) for factor in self.factors]
        return [ChosenLevel(factor, label, factor.levels.index(label)) for factor, label in chosen]

    def switched(self, arm: str) -> list[ChosenLevel]:
        """The levels of an arm that are not the base's."""
        return [level for level in self.levels(arm) if level.position > 0]

    def title_of(self, arm: str) -> str:
        """The title of an arm in a grid that lists its arms; empty in one that crosses factors."""
        listed = [factor.name for factor in self.factors] == [LISTED]
        return self.arm_by_name[arm].levels[LISTED] if listed else ""

    def runs_of(self, arm: str) -> list[PlannedRun]:
        return [run for run in self.runs if run.arm == arm]


@dataclass(frozen=True)
class GridFolder:
    """The folder of a planned grid: its plan, and where its runs lie."""

    path: Path
    plan: Plan

    @property
    def output(self) -> Path:
        return self.path.parents[1]

    def run(self, signature: str) -> RunFolder:
        return RunFolder(self.output / "runs" / signature)


def read_plan(folder: Path) -> GridFolder:
    """The grid planned in `folder`. Raises InputError where there is no plan, or it is not one."""
    path = folder.resolve() / "plan.json"
    absent = "a grid folder holds a plan.json, found none; give the folder of a planned grid"
    plan = require_record(path, Plan, absent)
    return GridFolder(path.parent, plan)


def planned_grids(output: Path) -> list[GridFolder]:
    """All grids under an output folder whose plan and looks can be read, oldest first."""
    grids = []
    for path in (output / "grids").glob("*/plan.json"):
        with suppress(DamagedFileError):  # `damaged_plans` tells of it
            read_looks(path.parent)
            grids.append(read_plan(path.parent))
    return sorted(grids, key=lambda grid: (grid.plan.created, grid.plan.name))
