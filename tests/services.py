"""What a test needs that may be missing here: skipped with the reason, failed where services are required."""

import os

import pytest


def need(missing: str | None) -> None:
    """Skip the test for the reason `missing`, if there is one; fail it under REID_REQUIRE_SERVICES=1."""
    if missing and os.environ.get("REID_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{missing} and REID_REQUIRE_SERVICES=1")
    if missing:
        pytest.skip(missing)
