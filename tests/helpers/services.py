"""What a test needs that may be missing here: skipped with the reason, failed where services are required."""

import os
import shutil
from importlib.util import find_spec

import pytest

CHROMIUM = shutil.which("chromium")


def need(missing: str | None) -> None:
    """Skip the test for the reason `missing`, if there is one; fail it under REID_REQUIRE_SERVICES=1."""
    if missing and os.environ.get("REID_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{missing} and REID_REQUIRE_SERVICES=1")
    if missing:
        pytest.skip(missing)


def need_chromium() -> str:
    """Path of Chromium, where playwright can drive it."""
    if find_spec("playwright") is None:
        need("playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        need("chromium is not installed (package chromium)")
    assert CHROMIUM is not None
    return CHROMIUM
