"""Grids and studies for programs: launched here, in one call."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pydantic import JsonValue

from reid.execution.devices import chosen_device, plan_slots
from reid.execution.executors.local import LocalExecutor
from reid.grids.launch import Progress, launch, prepare
from reid.grids.status import GridStatus, RunStatusRow
from reid.registry import load_asked
from reid.store.study import TrialRecord
from reid.studies.launch import Launch, study_folder
from reid.studies.launch import tune as tune_on
from reid.studies.search import SearchStatus
from reid.studies.study_file import StudyPlan
from reid.tracking.background import BackgroundTracker
from reid.tracking.study.tracker import study_tracker

LOG = logging.getLogger("reid")


class LogView:
    """A launch shown as lines of the logger `reid`."""

    def preparing(self, what: str) -> AbstractContextManager[Progress]:
        LOG.info(what)
        return nullcontext(lambda _done, _total: None)

    def show(self, status: GridStatus, changed: RunStatusRow | None) -> None:  # noqa: ARG002 - the protocol's
        if changed is not None:
            LOG.info("run %s: %s", changed.signature, changed.state)

    def search(self, status: SearchStatus, ended: TrialRecord | None) -> None:  # noqa: ARG002 - the protocol's
        if ended is not None:
            LOG.info("trial %d: %s", ended.number, ended.state)

    def warn(self, text: str) -> None:
        LOG.warning(text)


def run_grid(
    file: str | Path,
    output: str | Path = "output",
    overrides: Mapping[str, JsonValue] | None = None,
    plugins: Sequence[str | Path] = (),
    device: str = "auto",
    slots: int | None = None,
    tracking_uri: str | None = None,
) -> Path:
    """Train every run of a grid file that has no result yet, here; returns the grid's folder, for `read_runs`.

    `overrides` replace fields of the base recipe, `plugins` are files beside those that the grid names, `slots` is the
    number of runs at a time (default: one a core, or one a GPU). Runs train in processes of their own, so a script
    needs `if __name__ == "__main__":`. Raises InputError for whatever cannot be trained, before anything is.
    """
    load_asked(plugins, "plugins")
    place, view = Path(output), LogView()
    launched = prepare(Path(file), place, overrides or {}, False, f"reid.run_grid({str(file)!r})", view)
    tracker = BackgroundTracker(tracking_uri, place, launched.folder, view.warn)
    launch(launched, _executor(device, slots, place), tracker, view)
    return launched.folder


def run_study(
    file: str | Path,
    output: str | Path = "output",
    overrides: Mapping[str, JsonValue] | None = None,
    plugins: Sequence[str | Path] = (),
    device: str = "auto",
    slots: int | None = None,
    tracking_uri: str | None = None,
) -> Path:
    """Search as a study file says and compare the winner with the defaults, here; returns the study's folder.

    Arguments and errors are those of `run_grid`.
    """
    load_asked(plugins, "plugins")
    place, view = Path(output), LogView()
    plan = StudyPlan(Path(file), overrides)
    folder = study_folder(place, plan)
    tracker = BackgroundTracker(tracking_uri, place, folder, view.warn, study_tracker)
    executor = _executor(device, slots, place)
    tune_on(plan, Launch(place, executor, tracker, f"reid.run_study({str(file)!r})"), view)
    return folder


def _executor(device: str, slots: int | None, output: Path) -> LocalExecutor:
    return LocalExecutor(plan_slots(chosen_device(device), slots), output / "cache", skip_unreadable=False)
