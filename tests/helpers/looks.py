"""Looks that nobody took: intervals that shrink, one factor decided at once and the others at the last."""

from collections.abc import Sequence
from math import inf

from reid.store.looks import FactorLook, LookRecord


def looks_at(factors: Sequence[str], runs: Sequence[int] = (16, 24, 32), diverged: int = 0) -> list[LookRecord]:
    """A look after each number of `runs`. The last factor is not estimable at the first look."""
    looks = []
    for number, count in enumerate(runs, 1):
        last = number == len(runs)
        found = {}
        for place, name in enumerate(factors):
            effect, half = 0.03 * (place == 0), 0.02 / number
            kind = "helps" if place == 0 else "no_effect" if last else "undecided"
            found[name] = FactorLook(effect=effect, low=effect - half, high=effect + half, kind=kind)
        if number == 1:
            found[factors[-1]] = FactorLook(effect=0.0, low=-inf, high=inf, kind="not_estimable")
        stop = "decided" if last else ""
        batches = number + 1
        looks.append(
            LookRecord(
                look=number, batches=batches, runs=count, diverged=diverged, critical=2.5, factors=found, stop=stop
            )
        )
    return looks
