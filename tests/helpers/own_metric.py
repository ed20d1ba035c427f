"""A metric beside those of the package."""

from collections.abc import Iterator
from contextlib import contextmanager

from reid.metrics.spec import METRICS, MetricSpec, Unit
from reid.registry.registry import forget_all, registering


@contextmanager
def miss_rate() -> Iterator[None]:
    """Within, there is a metric `miss_rate`: a fraction of which less is better."""
    with registering("lab"):
        METRICS.register("miss_rate", MetricSpec("miss_rate", "miss rate", Unit.FRACTION, higher_is_better=False))
    try:
        yield
    finally:
        forget_all("lab")
