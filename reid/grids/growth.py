"""A grid that grows: when all its runs are over it is looked at, and the look says whether another batch is trained.

looks.json is the truth and plan.json follows from it: a look is on disk before its batch is planned, and a plan is made
again from the looks wherever a launch was interrupted. One process at a time looks, whoever else trains the grid.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reid.analysis.looks import StopRule, take_look
from reid.analysis.runs_table import read_runs
from reid.errors import InputError
from reid.files import write_record
from reid.grids.designs.batches import batches_due
from reid.grids.grid import Grid
from reid.grids.planning import Opened, asked_runs, make_plan
from reid.store.claim import ClaimMonitor, claim
from reid.store.looks import LOOKS, LookRecord, LooksRecord, read_looks
from reid.store.plan import GridFolder, Plan, read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState
from reid.store.run_store import RunStore, lift_early_stop

METRIC = "mAP"  # what verdicts are asked of
WAIT_SECONDS = 0.25  # between looks at a grid that another process looks at


class Growth:
    """Keeps `plan` as far as the looks allow; `command` is what the plan says it was launched with."""

    def __init__(self, grid: Grid, opened: Opened, run_store: RunStore, folder: Path, command: str) -> None:
        self.grid, self.opened, self.run_store, self.folder, self.command = grid, opened, run_store, folder, command
        self.monitor = ClaimMonitor()
        self.entered: set[str] = set()
        self.looks: tuple[LookRecord, ...] = ()
        self.plan = self._made()

    def open(self) -> None:
        """Write the plan as far as the looks so far allow. Raises InputError where they were taken at another plan."""
        while True:
            with self._held() as mine:
                if mine:
                    self._follow(read_looks(self.folder))
                    return
            time.sleep(WAIT_SECONDS)

    def goes_on(self) -> bool:
        """Whether there is, or may soon be, another batch in `plan`; takes the look that is due where nobody has.

        No look is taken while a run is left that another launch would train, or whose records are damaged.
        """
        if self._is_over() or not self._is_settled():
            return False
        with self._held() as mine:
            if mine:
                looks = read_looks(self.folder)
                if len(looks) == len(self.looks):
                    looks = (*looks, self._look())
                    write_record(self.folder / LOOKS, LooksRecord(looks=looks))
                self._follow(looks)
                return not self._is_over()
        time.sleep(WAIT_SECONDS)
        return True

    def _is_settled(self) -> bool:
        """Whether every run of the plan has become what it will be."""
        states = (self.run_store.folder(run.signature).read_state() for run in self.plan.runs)
        return all(state.is_settled and state.state != RunState.UNREADABLE for state in states)

    def _is_over(self) -> bool:
        return bool(self.looks and self.looks[-1].stop)

    @contextmanager
    def _held(self) -> Iterator[bool]:
        """Whether this process alone looks and plans, for as long as the block lasts."""
        here = RunFolder(self.folder)
        if self.monitor.holder(here) is not None:  # takes a claim that died out of the way
            yield False
            return
        with claim(here) as mine:
            yield mine is not None

    def _follow(self, looks: tuple[LookRecord, ...]) -> None:
        """Plan what `looks` allow, and enter its runs."""
        self.looks = looks
        self.plan = self._made()
        before = require_same_question(self.folder, self.plan)
        if before is not None:
            self.plan = self.plan.model_copy(update={"created": before.created})
        write_record(self.folder / "plan.json", self.plan)
        for asked in asked_runs(self.grid, self.plan, self.opened):
            if asked.signature not in self.entered:
                run = self.run_store.enter(asked)
                if run.read_state().early_stopped:  # by the budget of another grid
                    lift_early_stop(run)
                self.entered.add(asked.signature)

    def _made(self) -> Plan:
        return make_plan(self.grid, self.opened, self.run_store.folder, self.command, batches_due(self.looks))

    def _look(self) -> LookRecord:
        """The look that is due, at all runs of the plan."""
        plan, until = self.plan, self.plan.until
        assert until is not None
        rule = StopRule(_fraction(plan.matters), _fraction(until.half_width), until.at_most)
        table = read_runs(GridFolder(self.folder, plan))
        return take_look(table, [factor.name for factor in plan.factors], METRIC, rule, until.batch, self.looks)


def _fraction(points: float | None) -> float | None:
    return None if points is None else points / 100


def require_same_question(folder: Path, plan: Plan) -> Plan | None:
    """The plan that the grid in `folder` had when it was looked at, if it was. Raises InputError where `plan` asks
    something else than that one.
    """
    looks = read_looks(folder)
    if not looks:
        return None
    if not (folder / "plan.json").exists():
        raise InputError(f"{folder / LOOKS}: has looks at a plan that is gone; remove it to begin anew")
    before = read_plan(folder).plan
    if changed := _changed(before, plan):
        raise InputError(
            f"{folder / LOOKS}: {len(looks)} looks were taken and `{changed}` is another since; what is asked may not "
            "change once it was looked at: give the grid another name, and it takes over the runs that stay the same"
        )
    return before


def _changed(before: Plan, plan: Plan) -> str:
    """What two plans of a growing grid do not have in common beside how far they go, as a key of the grid file."""
    if [(factor.name, factor.levels) for factor in before.factors] != [(f.name, f.levels) for f in plan.factors]:
        return "factors"
    if (before.until, before.design) != (plan.until, plan.design):
        return "design"
    if before.matters != plan.matters:
        return "matters"
    both = list(zip(before.runs, plan.runs, strict=False))
    if any(one.seed != other.seed for one, other in both):
        return "seeds"
    return "recipe or dataset" if any(one.signature != other.signature for one, other in both) else ""
