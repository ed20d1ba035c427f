import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.grids import UNTRACKED, ablate, final_table, write_toy

MISBEHAVIOUR = Path(__file__).parent / "misbehaviour"


@pytest.fixture(scope="session")
def toy(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy grid's file: 8 arms of 12 epochs."""
    return write_toy(tmp_path_factory.mktemp("toy"), tiny_root)


@pytest.fixture(scope="session")
def trained(toy: Path, shared: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The output folder of the toy grid when nothing goes wrong."""

    def train(folder: Path) -> None:
        ablate(toy, folder / "output", *UNTRACKED)

    return shared("undisturbed", train) / "output"


@pytest.fixture(scope="session")
def undisturbed(trained: Path) -> dict[str, Any]:
    """The final table of the toy grid when nothing goes wrong."""
    return final_table(trained)


@pytest.fixture(scope="session")
def signatures(trained: Path) -> dict[str, str]:
    """Signatures of the toy grid's runs by arm, in launch order."""
    plan = json.loads((trained / "grids" / "toy" / "plan.json").read_text())
    return {run["arm"]: run["signature"] for run in plan["runs"]}


Misbehave = Callable[..., dict[str, str]]


@pytest.fixture
def misbehave(tmp_path: Path) -> Misbehave:
    """`misbehave({signature: "raise"}, {module: {name: value}})`: an environment that does it; see misbehaviour."""

    def order(runs: Mapping[str, str], settings: Mapping[str, Mapping[str, float]] | None = None) -> dict[str, str]:
        folder = tmp_path / "orders"
        folder.mkdir(exist_ok=True)
        for signature, what in runs.items():
            (folder / signature).write_text(what)
        (folder / "settings.json").write_text(json.dumps(settings or {}))
        return {"PYTHONPATH": str(MISBEHAVIOUR), "REID_MISBEHAVIOUR": str(folder)}

    return order
