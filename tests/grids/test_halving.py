import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.errors import InputError
from reid.grids.grid import read_grid
from reid.grids.halving import ArmProgress, Halving, HalvingDecision, decide

EPOCHS = 30
RUNGS = Halving(first=3, factor=3)  # 3, 9, 27


def test_rungs_end_before_the_training_does() -> None:
    assert RUNGS.rungs(30) == [3, 9, 27]
    assert RUNGS.rungs(27) == [3, 9]
    assert RUNGS.rungs(3) == []


@st.composite
def grids(draw: st.DrawFn) -> dict[str, ArmProgress]:
    """Untrained runs of a grid, with what their mAP will be at every rung."""
    arms, seeds = draw(st.integers(2, 10)), draw(st.integers(1, 3))
    value = st.integers(0, 4).map(lambda n: n / 4)  # few values, so that there are ties
    return {
        f"{arm} {seed}": ArmProgress(str(arm), {rung: draw(value) for rung in RUNGS.rungs(EPOCHS)})
        for seed in range(seeds)
        for arm in range(arms)
    }


def train(
    future: Mapping[str, ArmProgress], seed: int, broken: frozenset[str] = frozenset()
) -> dict[str, HalvingDecision]:
    """Train a grid as verdicts say, one rung of one run at a time in an order of its own, and return the last verdicts.

    Verdicts are made anew from what is known before every step, as after an interruption.
    """
    order = random.Random(seed)
    known = {signature: ArmProgress(run.arm, {}) for signature, run in future.items()}
    done: set[str] = set()
    while True:
        verdicts = decide(RUNGS, EPOCHS, "0", known)
        assert verdicts.keys() == known.keys()
        ready = [s for s, verdict in verdicts.items() if verdict.kind == "train" and s not in done]
        if not ready:
            return verdicts
        signature = order.choice(ready)
        epoch = verdicts[signature].epoch
        if signature in broken:
            known[signature] = replace(known[signature], settled=True)
            done.add(signature)
        elif epoch is None:
            known[signature] = ArmProgress(future[signature].arm, future[signature].mAP, settled=True)
            done.add(signature)
        else:
            assert epoch not in known[signature].mAP, "trained twice to one rung"
            reached = {rung: value for rung, value in future[signature].mAP.items() if rung <= epoch}
            known[signature] = replace(known[signature], mAP=reached)


@given(grids(), st.integers(0, 99), st.integers(0, 99))
def test_who_goes_on_depends_on_the_runs_alone(future: dict[str, ArmProgress], one: int, other: int) -> None:
    assert train(future, one) == train(future, other)


@given(grids(), st.integers(0, 99))
def test_the_base_and_the_best_are_never_ended_and_nothing_is_left_waiting(
    future: dict[str, ArmProgress], order: int
) -> None:
    verdicts = train(future, order)
    assert {verdict.kind for verdict in verdicts.values()} <= {"train", "end"}
    ended = {future[signature].arm for signature, verdict in verdicts.items() if verdict.kind == "end"}
    assert "0" not in ended
    arms = {run.arm for run in future.values()}
    for rung in RUNGS.rungs(EPOCHS):
        out = {future[s].arm for s, verdict in verdicts.items() if verdict.kind == "end" and verdict.epoch == rung}
        left = arms - out
        mean = {arm: sum(run.mAP[rung] for run in future.values() if run.arm == arm) for arm in arms}
        assert RUNGS.kept(len(arms)) <= len(left) <= RUNGS.kept(len(arms)) + 1
        assert all(mean[arm] <= mean[kept] for arm in out for kept in left - {"0"})
        arms = left


@given(grids(), st.integers(0, 99), st.data())
def test_runs_that_fail_hold_nobody_up(future: dict[str, ArmProgress], order: int, data: st.DataObject) -> None:
    broken = frozenset(data.draw(st.sets(st.sampled_from(sorted(future)))))
    assert all(verdict.kind != "wait" for verdict in train(future, order, broken).values())


def test_a_run_that_diverged_counts_as_nothing_and_one_that_failed_not_at_all() -> None:
    runs = {
        "a": ArmProgress("base", {3: 0.1}),
        "b": ArmProgress("half diverged", {3: 0.8}),
        "c": ArmProgress("half diverged", {}, settled=True, worthless=True),
        "d": ArmProgress("half failed", {3: 0.5}),
        "e": ArmProgress("half failed", {}, settled=True),
    }
    verdicts = decide(Halving(first=3, factor=3), 9, "base", runs)
    assert [verdicts[signature].kind for signature in "abcde"] == ["train", "end", "end", "train", "train"]
    assert verdicts["b"].reason == "budget: 2 of 3 arms at epoch 3 with mAP 40.0"


@given(grids(), st.integers(0, 99))
def test_the_share_is_an_upper_bound(future: dict[str, ArmProgress], order: int) -> None:
    verdicts = train(future, order)
    trained = sum(EPOCHS if verdict.epoch is None else verdict.epoch for verdict in verdicts.values())
    arms = len({run.arm for run in future.values()})
    assert trained <= RUNGS.share(arms, EPOCHS) * EPOCHS * len(future) + 1e-9


GRID = """\
name: g
dataset: {{name: d, root: nowhere}}
recipe: {{schedule: {{epochs: 12, milestones: []}}, evaluation: {{every: 4}}}}
factors: {factors}
budget: {budget}
"""


@pytest.mark.parametrize(
    ("budget", "factors", "words"),
    [
        ("{halving: {first: 6}}", "{bnneck: }", "first must be an epoch that is evaluated, found 6 where arm 0"),
        ("{halving: {first: 12}}", "{bnneck: }", "first must be below schedule.epochs 12, found 12"),
        ("{halving: {first: 4}}", "{schedule.epochs: [8, 12]}", "every arm needs the same schedule.epochs"),
        ("{halving: {first: 4, factor: 1}}", "{bnneck: }", "budget.halving.factor"),
        ("{halving: {frist: 4}}", "{bnneck: }", "budget.halving.first"),
        ("{hlving: {first: 4}}", "{bnneck: }", "hlving"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_one_line(tmp_path: Path, budget: str, factors: str, words: str) -> None:
    file = tmp_path / "g.yaml"
    file.write_text(GRID.format(budget=budget, factors=factors))
    with pytest.raises(InputError) as refused:
        read_grid(file, {})
    assert words in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_grid_with_a_budget_says_so_in_its_plan(tmp_path: Path) -> None:
    file = tmp_path / "g.yaml"
    file.write_text(GRID.format(budget="{halving: {first: 4}}", factors="{bnneck: }"))
    assert read_grid(file, {}).spec.budget == {"halving": Halving(first=4, factor=3)}
