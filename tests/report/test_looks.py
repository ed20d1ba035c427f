"""The page on a grid that grew: its looks, the bounds used, and when each factor was told; legible at any moment."""

import re
from pathlib import Path

import pytest

from reid.analysis.results import read_results
from reid.files import write_record
from reid.grids.designs.batches import Batches, fractions
from reid.grids.designs.design import Arm, Factor, Level
from reid.recipe import Recipe
from reid.report import write_report
from reid.report.elements import Figure, Table, Text
from reid.report.grid.csv import write_tables
from reid.report.grid.looks import looks_section
from reid.report.grid.pages import describe_results
from reid.store.looks import FactorLook, LookRecord, LooksRecord
from reid.store.plan import UntilRecord, read_plan
from tests.helpers.grids_on_disk import EFFECTS, TRICK_FACTORS, MakeGrid
from tests.helpers.looks import looks_at

NAMES = [factor.name for factor in TRICK_FACTORS[:3]]


def grow(make_grid: MakeGrid, looks: list[LookRecord], half_width: float | None = None) -> Path:
    """A grid of three tricks in batches of eight, a seed each, with these looks at it."""
    grid = make_grid(factors=TRICK_FACTORS[:3], effects=EFFECTS[:3], seeds=range(2 + len(looks)), iterations=60)
    until = UntilRecord(at_most=40, batch=8, half_width=half_width)
    changed = {"until": until, "matters": 1.5, "design": "until"}
    write_record(grid / "plan.json", read_plan(grid).plan.model_copy(update=changed))
    if looks:
        write_record(grid / "looks.json", LooksRecord(looks=tuple(looks)))
    return grid


def test_every_look_with_its_bound_and_every_factor_with_its_last_interval(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = grow(make_grid, looks_at(NAMES, diverged=1))
    (section,) = looks_section(read_results(grid), tmp_path)
    figure, looks, verdicts = section.elements
    assert isinstance(figure, Figure)
    assert "less than 1.5 points" in figure.caption
    assert (tmp_path / figure.file).read_text().count("</svg>") == 1
    assert isinstance(looks, Table)
    assert looks.rows == [
        ["1", "2", "16", "1 diverged", "2.500", "1 of 3", "another batch"],
        ["2", "3", "24", "1 diverged", "2.500", "1 of 3", "another batch"],
        ["3", "4", "32", "1 diverged", "2.500", "3 of 3", "every factor has its verdict"],
    ]
    assert "all looks up to 40 runs (Lan and DeMets" in looks.caption
    assert isinstance(verdicts, Table)
    assert verdicts.rows[0] == ["Warm-up learning rate", "+3.0", "[+2.3, +3.7]", "helps", "look 1, 16 runs"]
    assert verdicts.rows[2][1:] == ["0.0", "[−0.7, +0.7]", "no effect that matters", "look 3, 32 runs"]


def test_a_rule_of_width_has_its_own_words(make_grid: MakeGrid, tmp_path: Path) -> None:
    (section,) = looks_section(read_results(grow(make_grid, looks_at(NAMES), half_width=0.25)), tmp_path)
    looks = section.elements[1]
    assert isinstance(looks, Table)
    assert "every interval reaches 0.25 points" in looks.caption
    assert "Lan and DeMets" not in looks.caption


def test_before_the_first_look_it_says_when_that_is_and_other_grids_have_no_such_page(
    make_grid: MakeGrid, tmp_path: Path
) -> None:
    (section,) = looks_section(read_results(grow(make_grid, [])), tmp_path)
    (words,) = section.elements
    assert isinstance(words, Text)
    assert "when two batches of 8 runs are over" in words.body
    plain = make_grid(factors=TRICK_FACTORS[:3], effects=EFFECTS[:3], iterations=60)
    assert looks_section(read_results(plain), tmp_path) == []


def test_what_was_called_before_may_lie_beside_its_interval(make_grid: MakeGrid, tmp_path: Path) -> None:
    looks = looks_at(NAMES)
    beside = FactorLook(effect=0.016, low=-0.002, high=0.015, kind="no_effect")
    looks[-1] = looks[-1].model_copy(update={"factors": {**looks[-1].factors, NAMES[1]: beside}})
    results = read_results(grow(make_grid, looks))
    row = results.effects["mAP"].to_dict("index")[NAMES[1]]
    assert (row["effect"], row["low"], row["high"], row["kind"]) == (0.016, -0.002, 0.015, "no_effect")
    assert describe_results(results, tmp_path).sections


@pytest.mark.slow
@pytest.mark.parametrize("looks", range(4))
def test_the_report_can_be_written_at_any_moment(make_grid: MakeGrid, tmp_path: Path, looks: int) -> None:
    """The newest batch is planned and its runs have not begun."""
    grid = grow(make_grid, looks_at(NAMES)[:looks])
    newest = 1 + looks
    for run in read_plan(grid).plan.runs:
        if run.seed == newest and looks < 3:
            for file in (grid.parents[1] / "runs" / run.signature).iterdir():
                if file.name != "run.json":
                    file.unlink()
    page = re.sub(r"\s+", " ", write_report(grid, tmp_path, ["html"])[0].read_text())
    assert "Looks" in page
    assert ("every factor has its verdict" in page) == (looks == 3)


@pytest.mark.slow
@pytest.mark.parametrize("factors", range(1, 7))
@pytest.mark.parametrize("batches", [2, 3, 5])
def test_arms_that_met_different_seeds_have_a_report(
    make_grid: MakeGrid, tmp_path: Path, factors: int, batches: int
) -> None:
    """Whatever of an arm cannot be told from its seeds is left open; the effects of factors can be told."""
    tricks = TRICK_FACTORS[:factors]
    grid = make_grid(factors=tricks, effects=EFFECTS[:factors], seeds=range(batches), iterations=60, design="blocks")
    off_and_on = (Level("off", {}), Level("on", {}))
    made = Batches(
        fractions(
            [Arm(f"{number:0{factors}b}", {}, Recipe()) for number in range(2**factors)],
            [Factor(trick.name, "", "", off_and_on) for trick in tricks],
        ),
        [0],
    )
    wanted = {(arm.name, seed) for arm, seed in made.runs(batches)}
    plan = read_plan(grid).plan
    runs = tuple(run for run in plan.runs if (run.arm, run.seed) in wanted)
    arms = tuple(arm for arm in plan.arms if any(run.arm == arm.arm for run in runs))
    write_record(grid / "plan.json", plan.model_copy(update={"runs": runs, "arms": arms}))
    results = read_results(grid)
    assert describe_results(results, tmp_path).sections
    write_tables(results, tmp_path / "tables")
    assert results.effects["mAP"]["effect"].notna().all()
