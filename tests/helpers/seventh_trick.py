"""A trick beside the paper's six."""

from collections.abc import Iterator
from contextlib import contextmanager

from reid.registry.registry import forget_all, registering
from reid.tricks import MethodCard, Trick, register_trick


@contextmanager
def seventh_trick() -> Iterator[Trick]:
    """Within, a seventh trick is registered."""
    card = MethodCard(idea="", formula="", source="", cost="", interactions="")
    with registering("lab"):
        trick = register_trick(Trick("seventh", "7th", "Seventh", card, settings={"optimizer.ema": 0.999}))
    try:
        yield trick
    finally:
        forget_all("lab")
