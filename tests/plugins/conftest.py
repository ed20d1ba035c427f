"""Plugins of a test are unloaded after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reid.registry import activate, active_plugins, load_plugins

EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    before = active_plugins()
    yield
    activate(before)


@pytest.fixture
def examples() -> list[Path]:
    """All example plugins, loaded."""
    files = sorted(EXAMPLES.glob("*.py"))
    load_plugins(files, "plugins")
    return files
