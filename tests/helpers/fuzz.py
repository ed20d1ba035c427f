"""How many cases a fuzzing test tries: few in the suite, many in a night."""

import os

from hypothesis import HealthCheck, settings


def few(count: int) -> settings:
    """Settings of `count` examples, or of REID_FUZZ where that is more."""
    asked = max(count, int(os.environ.get("REID_FUZZ", "0")))
    return settings(max_examples=asked, deadline=None, suppress_health_check=[HealthCheck.too_slow])
