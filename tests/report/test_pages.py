"""The PDF and its tables, read back with poppler."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.report import FORMATS, write_report
from reid.store.plan import FactorRecord
from tests.helpers.grids_on_disk import EFFECTS, OUTCOMES, TRICK_FACTORS, MakeGrid
from tests.helpers.pdf_text import Read, has_row, points, tables
from tests.helpers.seventh_trick import seventh_trick

pytestmark = pytest.mark.slow

OTHER = [
    FactorRecord(name="backbone.name", levels=("resnet18", "resnet50")),
    FactorRecord(name="triplet.margin", short="margin", title="Triplet margin", levels=("0.3", "soft")),
    TRICK_FACTORS[3],
]


def test_states_are_counted_on_the_first_page(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(seeds=(0, 1), outcomes=OUTCOMES, iterations=60)
    first = read(write_report(grid, tmp_path / "report.pdf")[0]).split("\f")[0]
    assert "123 of 128 finished, 1 diverged, 1 failed, 2 planned, 1 running" in re.sub(r"\s+", " ", first)


def test_the_same_runs_give_the_same_bytes(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(iterations=60)
    first, second = (write_report(grid, tmp_path / name, FORMATS) for name in ("a", "b"))
    names = [
        "report.pdf",
        "report.html",
        "tables.tex",
        "tables.md",
        "runs.csv",
        "arms.csv",
        "effects.csv",
        "singles.csv",
    ]
    names += ["interactions.csv", "divergence.csv", "published.csv", "shapley.csv", "ladder.csv", "queries.csv"]
    assert [path.name for path in first] == names
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_seventh_trick_leaves_the_report_of_the_six_as_it_is(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(iterations=60)
    before = write_report(grid, tmp_path / "before", ("html", "csv"))
    with seventh_trick():
        after = write_report(grid, tmp_path / "after", ("html", "csv"))
    assert {"ladder.csv", "published.csv"} <= {path.name for path in before}
    assert [path.read_bytes() for path in after] == [path.read_bytes() for path in before]


def test_other_factors_have_a_report_without_a_ladder(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(factors=OTHER, effects=(0.05, 0.0, 0.01), seeds=(3, 4), iterations=60)
    written = write_report(grid, tmp_path / "report.pdf")
    text = read(written[0])
    assert "ladder" not in text
    assert "ladder.csv" not in [path.name for path in written]
    assert "Triplet margin: 0.3 → soft" in text
    assert "Loss curves: backbone.name" in text


def test_factors_of_several_levels_have_contrasts_against_the_base(
    make_grid: MakeGrid, read: Read, tmp_path: Path
) -> None:
    levels = ("resnet50", "resnet18", "resnet34")
    factors = [FactorRecord(name="backbone.name", title="Backbone", levels=levels), OTHER[2]]
    written = write_report(make_grid(factors=factors, effects=(-0.03, 0.0), seeds=(0, 1, 2), iterations=60), tmp_path)
    text = read(written[0])
    effects = tables(written[0])("effects").set_index(["metric", "factor"])["effect"]["mAP"]
    assert list(effects.index) == ["backbone.name=resnet18", "backbone.name=resnet34", "last_stride"]
    assert has_row(text, "Backbone: resnet50 → resnet34", [points(effects["backbone.name=resnet34"])])
    assert "backbone resnet50 → resnet18" in re.sub(r"\s+", " ", text)  # beside the published gap
    assert "shapley.csv" not in [path.name for path in written]


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (lambda arm: arm.count("1") % 2 == 0, "half fraction of 64 arms, |I| = ABCDEF"),
        (lambda arm: arm.count("1") >= 5, "leave-one-out; the effect of a factor is its loss when it is taken away"),
        (lambda arm: arm.count("1") <= 1, "add-one-in; the effect of a factor is its gain when it is added alone"),
        (lambda arm: "01" not in arm, "ladder; the effect of a factor is its step on the ladder"),
    ],
    ids=["half", "leave-one-out", "add-one-in", "ladder"],
)
def test_designs_of_fewer_arms_say_what_they_are(
    make_grid: MakeGrid, read: Read, tmp_path: Path, keep: Callable[[str], bool], words: str
) -> None:
    text = read(write_report(make_grid(keep=keep, seeds=(0, 1, 2), iterations=60), tmp_path)[0])
    assert words in re.sub(r"\s+", " ", text.split("\f")[0])


def test_arms_that_break_a_rule_are_told_of(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(keep=lambda arm: arm != "110011", design="full", seeds=(0, 1), iterations=0)
    plan = json.loads((grid / "plan.json").read_text())
    plan["left_out"] = {"110011": "center_loss conflicts with warmup"}
    (grid / "plan.json").write_text(json.dumps(plan))
    (page,) = write_report(grid, tmp_path, ["html"])
    words = "every combination of levels but 1 (center_loss conflicts with warmup); the effect of a factor is its main"
    assert words in re.sub(r"\s+", " ", page.read_text())


def test_how_much_matters_can_be_declared(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(seeds=(0, 1), iterations=60)
    text = read(write_report(grid, tmp_path, matters=0.5)[0])
    assert "does not matter: less than 50 points" in re.sub(r"\s+", " ", text)
    effects = tables(tmp_path / "report.pdf")("effects")
    assert effects[effects["metric"] == "mAP"]["kind"].isin(["no_effect", "helps"]).all()


def test_divergence_has_its_own_effects(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    diverged = {(arm, 0): "diverged" for arm in ("000000", "000001", "000100", "001000", "010000", "100000")}
    text = read(write_report(make_grid(outcomes=diverged, iterations=60), tmp_path)[0])
    assert "6 of 64 runs that ended have diverged" in re.sub(r"\s+", " ", text)
    assert has_row(text, "BNNeck", ["6", "/", "32", "0", "/", "32", "−18.8"])


def test_a_single_factor_has_a_report(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(factors=OTHER[2:], effects=[0.05], seeds=(0, 1, 2), iterations=60)
    text = read(write_report(grid, tmp_path / "report.pdf")[0])
    assert "Interactions\n" not in text
    assert "Last stride 1" in text


def test_a_grid_that_has_hardly_begun_says_so(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    outcomes = {(format(n, "06b"), 0): "planned" for n in range(3, 64)}
    text = read(write_report(make_grid(outcomes=outcomes, iterations=60), tmp_path / "report.pdf")[0])
    assert "Not estimable: Warm-up learning rate" in text
    assert "3 of 64 finished, 61 planned" in text
    assert "The finished runs do not separate any pair." in text


def test_unreadable_folders_are_shown_with_the_reason(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(factors=TRICK_FACTORS[:2], effects=EFFECTS[:2], seeds=(0, 1), iterations=60)
    signature = json.loads((grid / "plan.json").read_text())["runs"][2]["signature"]
    (grid.parents[1] / "runs" / signature / "result.json").unlink()
    text = read(write_report(grid, tmp_path / "report.pdf")[0])
    assert "7 of 8 finished, 1 unreadable" in text
    assert f"{signature}: finished, but result.json is missing" in text


def test_characters_that_no_font_has_are_spelt(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(factors=TRICK_FACTORS[:2], effects=EFFECTS[:2], seeds=(0, 1), iterations=60)
    plan = json.loads((grid / "plan.json").read_text())
    (grid / "plan.json").write_text(json.dumps(plan | {"title": "Gänge *é* #5 行"}))
    assert "Gänge *é* #5 \\u884c" in read(write_report(grid, tmp_path / "report.pdf")[0])


def test_no_finished_run_is_refused(make_grid: MakeGrid, tmp_path: Path) -> None:
    outcomes = {("00", 0): "failed", ("01", 0): "planned", ("10", 0): "planned", ("11", 0): "diverged"}
    grid = make_grid(factors=TRICK_FACTORS[:2], effects=EFFECTS[:2], outcomes=outcomes, iterations=60)
    with pytest.raises(InputError, match="needs a finished run, found 2 planned, 1 failed, 1 diverged"):
        write_report(grid, tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


def test_runs_of_two_codes_are_refused_unless_allowed(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(factors=TRICK_FACTORS[:2], effects=EFFECTS[:2], iterations=60)
    path = next((grid.parents[1] / "runs").iterdir()) / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"code": "feedbeef"}))
    with pytest.raises(InputError, match="found more than one training code: c0dec0dec0dec0de"):
        write_report(grid, tmp_path / "report.pdf")
    text = read(write_report(grid, tmp_path / "report.pdf", allow_mixed=True)[0])
    assert "Mixed runs, allowed by --allow-mixed. Found more than one training code" in text.split("\f")[0]


def test_a_placebo_stands_on_the_first_page(make_grid: MakeGrid, read: Read, tmp_path: Path) -> None:
    grid = make_grid(seeds=(0, 1, 2), iterations=60)
    plan = json.loads((grid / "plan.json").read_text())
    for arm in plan["arms"]:
        arm["placebo"] = arm["arm"].count("1") % 2 == 1
    (grid / "plan.json").write_text(json.dumps(plan))
    page = re.sub(r"\s+", " ", read(write_report(grid, tmp_path)[0]).split("\f")[0])
    assert re.search(r"Placebo [+−]?0\.\d \[−\d\.\d, \+\d\.\d\], p 0\.\d+: other random streams and nothing else", page)
    assert "The cumulative ladder" in page
