"""Forgets a run: in MLflow, and its folder."""

import shutil
from pathlib import Path

from reid.errors import InputError
from reid.store.claim import ClaimMonitor, claim
from reid.store.run_folder import RunFolder
from reid.tracking import TrackingError, delete_projections


def forget_run(output: Path, folder: RunFolder, uri: str | None = None) -> list[str]:
    """Remove a run's projections and its folder; returns a line for each thing done or not to be done from here.

    `uri` opens a store of MLflow with a password, if the run is shown there.

    Raises InputError while a process holds the run.
    """
    if holder := ClaimMonitor().holder(folder):
        raise InputError(
            f"run {folder.signature}: is trained by {holder}; `reid stop` its grid first, or wait two minutes "
            "(launching the grid) if that machine is gone"
        )
    with claim(folder) as mine:
        if mine is None:
            raise InputError(f"run {folder.signature}: somebody has just begun to train it; `reid stop` its grid first")
        try:
            lines = delete_projections(output, folder, uri)
        except TrackingError as error:
            ids = ", ".join(folder.read_projections().values())
            lines = [f"MLflow: {error}; delete there by hand: {ids}"]
        shutil.rmtree(folder.path)
    return [*lines, f"{folder.path}: removed"]
