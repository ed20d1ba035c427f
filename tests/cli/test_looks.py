"""What `reid status` and a launch show of a grid that grows."""

import io
import json
from pathlib import Path

import pytest

from reid.cli.views.grid_terminal import TerminalView
from reid.cli.views.json_lines import EventLines
from reid.cli.views.looks import look_line, looks_table, spent_line
from reid.cli.views.screen import Screen
from reid.cli.views.status_table import closing, grid_lines, status_document
from reid.files import write_record
from reid.grids.status import GridStatus, open_status
from reid.store.looks import LookRecord, LooksRecord
from reid.store.plan import UntilRecord, read_plan
from reid.store.run_store import RunStore
from tests.helpers.grids_on_disk import EFFECTS, TRICK_FACTORS, MakeGrid
from tests.helpers.looks import looks_at

NAMES = [factor.name for factor in TRICK_FACTORS[:3]]


def opened(make_grid: MakeGrid, looks: list[LookRecord]) -> GridStatus:
    """Three tricks in batches of eight, a seed each."""
    grid = make_grid(factors=TRICK_FACTORS[:3], effects=EFFECTS[:3], seeds=range(2 + len(looks)))
    until = UntilRecord(at_most=40, batch=8)
    write_record(grid / "plan.json", read_plan(grid).plan.model_copy(update={"until": until, "design": "until"}))
    write_record(grid / "looks.json", LooksRecord(looks=tuple(looks)))
    return open_status(read_plan(grid).plan, RunStore(grid.parents[1]), 1)


def printed(status: GridStatus, width: int = 200) -> str:
    console = Screen(file=io.StringIO(), width=width)
    console.print(looks_table(status))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_factors_interval_is_drawn_and_its_widths_shrink(make_grid: MakeGrid) -> None:
    text = printed(opened(make_grid, looks_at(NAMES)))
    head, columns, *rows = text.splitlines()
    assert head.startswith("look 3: 3 of 3 factors decided after 32 runs, bound 2.50; it ends: every factor has")
    assert "±3.7" in columns
    assert " ".join(rows[0].split()) == "Warm-up learning rate +3.00 [+2.33, +3.67] │ ━━●━━ 2.00 1.00 0.67 helps"
    assert " ".join(rows[2].split()) == "Label smoothing +0.00 [−0.67, +0.67] ━━●━━ ∞ 1.00 0.67 no effect that matters"


def test_what_has_no_interval_yet_is_said_so(make_grid: MakeGrid) -> None:
    text = printed(opened(make_grid, looks_at(NAMES, runs=(16, 24))[:1]))
    assert "[−∞, ∞]" in text
    assert "not estimable" in text


def test_what_it_cost_and_what_it_saved_beside_the_full_grid(make_grid: MakeGrid) -> None:
    growing = opened(make_grid, looks_at(NAMES)[:1])
    for run in growing.runs.values():
        run.seconds = 1800.0
        growing.move(run, run.state)
    full = "the full grid (every combination with 3 seeds, 24 runs)"
    assert spent_line(growing) == f"24 runs so far, at most 40; were this enough, 0 runs and 0.0 h fewer than {full}"
    growing.plan = growing.plan.model_copy(update={"factors": TRICK_FACTORS})
    assert "were this enough, 168 runs and 84.0 h fewer than" in spent_line(growing)
    assert "fewer than the full grid (every combination with 3 seeds, 192 runs)" in spent_line(growing)
    over = opened(make_grid, looks_at(NAMES, diverged=2))
    assert spent_line(over) == f"40 runs: 16 runs more than {full}"
    assert grid_lines(over)[-1] == spent_line(over)
    assert "(2 diverged)" in look_line(over.looks[0])


def test_a_launch_ends_well_once_it_is_decided_and_not_before(make_grid: MakeGrid) -> None:
    lines, code = closing(opened(make_grid, looks_at(NAMES)[:2]))
    assert (lines[-1], code) == ("stopped before the end; the same command goes on from here", 130)
    lines, code = closing(opened(make_grid, looks_at(NAMES)))
    assert code == 0
    assert lines[1].startswith("40 runs: ")


def test_looks_are_events_once_each(make_grid: MakeGrid, capsys: pytest.CaptureFixture[str]) -> None:
    looks = looks_at(NAMES)
    status = opened(make_grid, looks)
    view, console = EventLines(), Screen(file=io.StringIO(), width=200)
    terminal = TerminalView(console)
    for number in (1, 1, 3, 3):
        status.looks = tuple(looks[:number])
        view.show(status, None)
        terminal.show(status, None)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["event"], event["look"], event["stop"]) for event in events] == [
        ("look", 1, ""), ("look", 2, ""), ("look", 3, "decided")
    ]  # fmt: skip
    assert events[0]["factors"][NAMES[-1]]["low"] == "-inf"
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [look_line(look) for look in looks]
    document = json.loads(json.dumps(status_document(status, runs=False)))
    assert (document["at_most"], document["full"], len(document["looks"])) == (40, 24, 3)


def test_the_live_view_shows_them_below_the_runs(make_grid: MakeGrid, tmp_path: Path) -> None:
    status = opened(make_grid, looks_at(NAMES))
    with (
        (tmp_path / "terminal").open("w", encoding="utf-8") as file,
        TerminalView(Screen(file=file, force_terminal=True, width=160)) as view,
    ):
        view.show(status, None)
        view.end(status)
    text = (tmp_path / "terminal").read_text(encoding="utf-8")
    assert "look 3: 3 of 3 factors decided" in text
    assert "no effect that matters" in text
    assert "more than the full grid" in text
