"""Found through PYTHONPATH by the processes of a test: makes chosen runs misbehave in real workers, and waits shorter.

$REID_MISBEHAVIOUR is a folder. A file named by a signature holds what that run does from its third epoch on: "raise",
"raise once" or "hang"; or "nan" from the beginning. settings.json holds numbers to set, by module:
{"reid.store.claim": {"DEAD_SECONDS": 2}}. $REID_MACHINE is what claims take for the name of their machine.
"""

import importlib.abc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ORDERS = Path(os.environ.get("REID_MISBEHAVIOUR", "/nowhere"))
EPOCH = 3
Patch = Callable[[Any], None]


def misbehave_in_training(execution: Any) -> None:
    original = execution.Worker._train

    def train(self: Any, folder: Any, mine: Any, report: Any, *rest: Any) -> Any:
        order = ORDERS / folder.signature
        what = order.read_text() if order.exists() else ""

        def disturbed(progress: Any, evaluated: bool) -> None:
            if what and progress.epoch >= EPOCH:
                if what == "raise once":
                    order.unlink(missing_ok=True)
                if what.startswith("raise"):
                    raise ValueError(f"asked to raise at iteration {progress.iteration}")
                while what == "hang":
                    time.sleep(0.1)
            report(progress, evaluated)

        with poisoned_steps() if what == "nan" else nullcontext():
            return original(self, folder, mine, disturbed, *rest)

    execution.Worker._train = train


@contextmanager
def poisoned_steps() -> Iterator[None]:
    """Images are not numbers."""
    from reid.training import loop
    from reid.training.step import train_step as original

    def poisoned(model: Any, optimizer: Any, centers: Any, images: Any, *rest: Any) -> Any:
        return original(model, optimizer, centers, images * float("nan"), *rest)

    vars(loop)["train_step"] = poisoned
    yield
    vars(loop)["train_step"] = original


class After(importlib.abc.MetaPathFinder):
    """Runs `patch` on a module once it is loaded."""

    def __init__(self, name: str, patch: Patch) -> None:
        self.name, self.patch = name, patch

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> ModuleSpec | None:
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec: Any = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_patch(module: ModuleType) -> None:
            load(module)
            self.patch(module)

        spec.loader.exec_module = load_and_patch
        return spec  # type: ignore[no-any-return]


def setting(**values: Any) -> Patch:
    def patch(module: Any) -> None:
        module.__dict__.update(values)

    return patch


if ORDERS.is_dir():
    sys.meta_path.insert(0, After("reid.execution.worker", misbehave_in_training))
    for name, values in json.loads((ORDERS / "settings.json").read_text()).items():
        sys.meta_path.insert(0, After(name, setting(**values)))
    if machine := os.environ.get("REID_MACHINE"):
        sys.meta_path.insert(0, After("reid.store.claim", setting(machine=lambda: machine)))
