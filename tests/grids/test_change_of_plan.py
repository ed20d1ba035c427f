"""A grid that is planned anew under its name says so in one line."""

import pytest

from reid.grids.planning import change_of_plan
from reid.store.plan import FactorRecord, Plan, PlannedRun

Factors = dict[str, tuple[str, ...]]


def plan(factors: Factors, signatures: str) -> Plan:
    return Plan(
        name="k",
        factors=tuple(FactorRecord(name=name, levels=levels) for name, levels in factors.items()),
        seeds=(0,),
        arms=(),
        runs=tuple(PlannedRun(signature=signature, arm="0", seed=0) for signature in signatures),
    )


SWITCH: Factors = {"warmup": ("off", "on")}
RATE: Factors = {"rate": ("1", "2")}
BEFORE = plan(SWITCH | RATE, "abcd")
GONE = "no longer part of it, kept in their folders: 2"


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (plan(RATE | SWITCH, "abcd"), "its factors were warmup, rate, now rate, warmup; new runs: 0"),
        (plan(SWITCH | {"rate": ("1", "3")}, "abef"), f"other levels of rate; new runs: 2; {GONE}"),
        (plan(SWITCH | RATE, "abcdef"), "new runs: 2"),
        (plan(SWITCH, "ab"), f"its factors were warmup, rate, now warmup; new runs: 0; {GONE}"),
    ],
)
def test_a_changed_plan_is_one_line(now: Plan, words: str) -> None:
    assert change_of_plan(BEFORE, now) == f"grid k: the plan has changed: {words}"


def test_the_same_plan_of_another_day_is_none() -> None:
    assert change_of_plan(BEFORE, BEFORE.model_copy(update={"created": "2026-02-01T00:00:00+00:00"})) is None
