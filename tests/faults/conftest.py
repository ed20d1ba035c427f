from pathlib import Path
from typing import Any

import pytest

from tests.grids import ablate, final_table, write_toy


@pytest.fixture(scope="session")
def toy(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy grid's file: 8 arms of 12 epochs."""
    return write_toy(tmp_path_factory.mktemp("toy"), tiny_root)


@pytest.fixture(scope="session")
def undisturbed(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The final table of the toy grid when nothing goes wrong."""
    output = tmp_path_factory.mktemp("undisturbed")
    ablate(toy, output)
    return final_table(output)
