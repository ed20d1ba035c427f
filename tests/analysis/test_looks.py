"""Looks at a grid that grows: when it stops, and how often it is wrong when it looks every time."""

import numpy as np
import pandas as pd
import pytest

from reid.analysis.effects import effects
from reid.analysis.looks import StopRule, as_looked, take_look
from reid.analysis.verdict import Kind, Scale
from reid.store.looks import LookRecord
from tests.helpers.growing_grids import BATCH, FACTORS, batch, grow

DECIDED = StopRule(matters=0.5, half_width=None, at_most=192)
LADDER = (1.2, 4.1, 1.0, 1.5, 3.9, 0.2)  # published steps on Market-1501, points


def table_of(batches: int, main: tuple[float, ...] = LADDER, sd: float = 0.3) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.concat([batch(n, main, sd, 0.0, random) for n in range(batches)], ignore_index=True)


def test_the_same_table_and_looks_give_the_same_look() -> None:
    first = take_look(table_of(2), FACTORS, "mAP", DECIDED, BATCH, [])
    assert first == take_look(table_of(2), FACTORS, "mAP", DECIDED, BATCH, [])
    assert (first.look, first.batches, first.runs, first.stop) == (1, 2, 32, "")
    second = take_look(table_of(3), FACTORS, "mAP", DECIDED, BATCH, [first])
    assert second.look == 2


def test_what_was_called_stays_called() -> None:
    first = take_look(table_of(2, (4.0, 0, 0, 0, 0, 0)), FACTORS, "mAP", DECIDED, BATCH, [])
    assert first.factors["a"].kind == Kind.HELPS
    later = take_look(table_of(3, (0.0,) * 6, sd=3), FACTORS, "mAP", DECIDED, BATCH, [first])
    assert later.factors["a"].kind == Kind.HELPS
    assert later.factors["a"].low >= 0


def test_diverged_runs_are_counted_and_are_no_numbers() -> None:
    table = table_of(2)
    table.loc[[1, 20], "state"] = ["diverged", "failed"]
    look = take_look(table, FACTORS, "mAP", DECIDED, BATCH, [])
    assert (look.runs, look.diverged, look.failed, look.batches) == (30, 1, 1, 2)


def test_a_grid_stops_at_its_most_whatever_is_open() -> None:
    looks = grow((0.5,) * 6, 1.5, 0.0, StopRule(0.5, None, 64), random_seed=0)
    assert [look.batches for look in looks] == [2, 3, 4]
    assert looks[-1].stop == "at_most"


def test_width_stops_when_every_interval_is_narrow() -> None:
    looks = grow(LADDER, 0.3, 0.0, StopRule(None, 0.25, 192), random_seed=0)
    widths = [max(factor.high - factor.low for factor in look.factors.values()) / 2 for look in looks]
    assert looks[-1].stop == "narrow"
    assert widths[-1] <= 0.25 < min(widths[:-1], default=1)


def test_nothing_that_can_be_estimated_has_no_bounds() -> None:
    table = table_of(2).assign(state="failed")
    look = take_look(table, FACTORS, "mAP", DECIDED, BATCH, [])
    assert {factor.kind for factor in look.factors.values()} == {Kind.NOT_ESTIMABLE}
    assert look.factors["a"].high == np.inf


def used(looks: list[LookRecord]) -> int:
    return looks[-1].batches * BATCH


@pytest.mark.slow
@pytest.mark.parametrize(
    ("main", "sd", "tau", "rule", "runs"),
    [
        ((0.0,) * 6, 0.5, 0.0, DECIDED, 84),
        ((0.0,) * 6, 0.5, 0.25, DECIDED, 144),
        (LADDER, 0.3, 0.0, DECIDED, 45),
        (LADDER, 0.3, 0.0, StopRule(None, 0.25, 192), 53),
    ],
)
def test_looking_every_time_is_seldom_wrong_and_saves_runs(
    main: tuple[float, ...], sd: float, tau: float, rule: StopRule, runs: int
) -> None:
    """In few draws; benchmarks/until.py has thousands. `runs` is what the rule took when it was designed."""
    grids = [grow(main, sd, tau, rule, random_seed) for random_seed in range(60)]
    assert np.mean([used(looks) for looks in grids]) == pytest.approx(runs, rel=0.2)
    wrong = [
        any(
            (factor.kind == Kind.HELPS and not truth > 0) or (factor.kind == Kind.HURTS and not truth < 0)
            for factor, truth in zip(looks[-1].factors.values(), main, strict=True)
        )
        for looks in grids
    ]
    assert np.mean(wrong) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)


def test_the_last_look_is_what_the_effects_say() -> None:
    table = table_of(2)
    look = take_look(table, FACTORS, "mAP", DECIDED, BATCH, [])
    found = as_looked(effects(table, FACTORS, "mAP", 0.5), look, Scale.of("mAP", 0.5))
    assert found["kind"].tolist() == [factor.kind for factor in look.factors.values()]
    assert found["low"].tolist() == [factor.low for factor in look.factors.values()]
    assert found["p_holm"].isna().all()
    assert found["verdict"]["b"] == "helps"
    assert (found["verdict"][found["kind"] == Kind.UNDECIDED] == "cannot tell yet - another batch follows").all()
