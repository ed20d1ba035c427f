"""The ledger of runs: one folder a signature, claimed by whoever trains it."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reid.errors import InputError
from reid.files import write_json
from reid.store.claim import claim
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import ENDED


class Ledger:
    """Run folders under `<output>/runs`."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.runs = output / "runs"

    @classmethod
    def create(cls, output: Path) -> "Ledger":
        """The ledger of an output folder, which is made if need be. Raises InputError where it cannot be written."""
        ledger = cls(output)
        probe = output / f".probe.{os.getpid()}"
        try:
            ledger.runs.mkdir(parents=True, exist_ok=True)
            try:
                probe.write_text("room for a byte")
            finally:
                probe.unlink(missing_ok=True)
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
            write_json(folder.path / "run.json", description, durable=False)  # thousands at a time, from the plan
        return folder

    def is_over(self, signature: str) -> bool:
        """Whether no launch trains the run: it has its result, a budget ended it, or it failed and is held."""
        state = self.folder(signature).read("state") or {}
        return bool(state.get("state") in ENDED or state.get("censored") or state.get("held"))

    def settle(self, signature: str) -> str:
        """The run's state, after marking as stopped one that says running while nobody holds it."""
        folder = self.folder(signature)
        if folder.state() == "running":
            with claim(folder) as mine:
                if mine and folder.state() == "running":
                    set_state(folder, state="stopped", reason="interrupted: its process ended without a word")
        return folder.state()


def set_state(folder: RunFolder, *, durable: bool = True, **changes: Any) -> None:
    """Write `changes` over the run's state. What is durable is there after a power failure; an end must be."""
    state = {**(folder.read("state") or {}), **changes, "updated": time.time()}
    write_json(folder.path / "state.json", state, durable)


def settle_all(output: Path) -> None:
    """Settle every run of an output folder."""
    ledger = Ledger(output)
    for path in sorted(ledger.runs.glob("*")):
        ledger.settle(path.name)


def release(folder: RunFolder) -> bool:
    """Let the next launch try a failed run as if it had never failed; returns whether it had, and nobody holds it."""
    with claim(folder) as mine:
        if mine is None or folder.state() != "failed":
            return False
        set_state(folder, held=False, transient=False, trace=None, hung=None)
    return True


def enter(
    ledger: Ledger,
    signature: str,
    recipe: dict[str, Any],
    seed: int,
    dataset: dict[str, Any],
    shares: str | None = None,
) -> RunFolder:
    """The run's folder, described if it is new, with a state that is true.

    `shares` is the run whose training it shares; where it was planned otherwise and has no result yet, this holds.
    """
    description = {
        "signature": signature,
        "recipe": recipe,
        "seed": seed,
        "dataset": dataset,
        "code": training_code(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    } | ({"shares": shares} if shares else {})
    folder = ledger.enter(description)
    if folder.read("run").get("shares") != shares:
        with claim(folder) as mine:
            if mine and not ledger.is_over(signature):
                folder.write("run", description)
    ledger.settle(signature)
    return folder
