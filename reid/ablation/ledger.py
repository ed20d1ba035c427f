"""The ledger of runs: one folder a signature, claimed by whoever trains it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reid.errors import InputError
from reid.run_folder import ENDED, RunFolder


class Ledger:
    """Run folders under `<output>/runs`."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.runs = output / "runs"

    @classmethod
    def create(cls, output: Path) -> "Ledger":
        """The ledger of an output folder, which is made if need be. Raises InputError where it cannot be written."""
        ledger = cls(output)
        try:
            ledger.runs.mkdir(parents=True, exist_ok=True)
            probe = ledger.runs / f".probe.{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InputError(
                f"{output}: the output folder must be writable ({error.strerror}); give another with --output"
            ) from error
        return ledger

    def folder(self, signature: str) -> RunFolder:
        return RunFolder(self.runs / signature)

    def enter(self, description: dict[str, Any]) -> RunFolder:
        """The folder of a described run, made with its run.json if it is new; what is there already stays."""
        folder = self.folder(description["signature"])
        folder.path.mkdir(exist_ok=True)
        if folder.read("run") is None:
            folder.write("run", description)
        return folder

    def is_over(self, signature: str) -> bool:
        """Whether the run has its result and is never trained again."""
        return self.folder(signature).state() in ENDED

    def settle(self, signature: str) -> str:
        """The run's state, after marking as stopped one that says running while nobody holds it."""
        folder = self.folder(signature)
        if folder.state() == "running":
            with claim(folder) as mine:
                if mine and folder.state() == "running":
                    set_state(folder, state="stopped", reason="interrupted: its process ended without a word")
        return folder.state()


@contextmanager
def claim(folder: RunFolder) -> Iterator[bool]:
    """Hold a run for as long as the block lasts; yields False where another process holds it.

    The claim is a lock on a file that the kernel lets go of when the holder dies, however it dies, so a dead claim
    needs no taking over.
    """
    lock = FileLock(folder.path / "claim.lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def set_state(folder: RunFolder, **changes: Any) -> None:
    """Write `changes` over the run's state."""
    folder.write("state", {**(folder.read("state") or {}), **changes, "updated": time.time()})
