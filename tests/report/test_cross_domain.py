"""The page of runs on several data sets, from run folders with a known truth."""

import json
from pathlib import Path

import pytest

from reid.analysis.published_tables import published_table
from reid.analysis.results import Results, read_results
from reid.errors import InputError
from reid.files import write_json
from reid.report.elements import Facts, Figure, Lines, Section, Table
from reid.report.grid.appendix import provenance
from reid.report.grid.cross_domain import cross_domain_section
from reid.store.plan import FactorRecord
from tests.helpers.grids_on_disk import TRICK_FACTORS, MakeGrid, draw
from tests.helpers.seventh_trick import seventh_trick

SETS = ("day", "night")
TRAIN_ON = FactorRecord(name="train_on", short="train", title="Trained on", levels=SETS)
ERASING, BNNECK = TRICK_FACTORS[1], TRICK_FACTORS[4]
DIRECTIONS = ("Market → Duke", "Duke → Market")
HOME, AWAY = {1: 0.03, 2: 0.05}, {1: -0.02, 2: 0.04}  # of erasing and BNNeck, by their place in the arm


@pytest.fixture
def grid(make_grid: MakeGrid) -> Path:
    """Trained by day or by night, with and without two tricks, two seeds; erasing helps at home and hurts across."""
    folder = make_grid(factors=[TRAIN_ON, ERASING, BNNECK], effects=[0.0, 0.0, 0.0], seeds=(0, 1), iterations=60)
    for run in json.loads((folder / "plan.json").read_text())["runs"]:
        runs = folder.parents[1] / "runs" / run["signature"]
        home = SETS[int(run["arm"][0])]
        result, asked = (json.loads((runs / f"{name}.json").read_text()) for name in ("result", "run"))
        domains = {}
        for name in SETS:
            base, gains = (0.5, HOME) if name == home else (0.2, AWAY)
            wobble = draw(int(run["signature"], 16) + SETS.index(name), 0.002)
            mAP = base + wobble + sum(gain for place, gain in gains.items() if run["arm"][place] == "1")
            scores = {"mAP": mAP, "mINP": mAP / 2, "rank1": mAP + 0.1, "rank5": 0.9, "rank10": 0.95}
            domains[name] = {"trained_on": name == home, **scores}
        result["metrics"] = {key: value for key, value in domains[home].items() if key != "trained_on"}
        write_json(runs / "result.json", result | {"domains": domains}, durable=False)
        dataset = asked["dataset"]
        sets = {name: dataset | {"name": name, "notes": [f"{name} is drawn"]} for name in SETS}
        record = dataset | {"fingerprint": f"trained on {home}", "train_on": [home], "sets": sets}
        write_json(runs / "run.json", asked | {"dataset": record}, durable=False)
    return folder


def elements_of(results: Results, folder: Path) -> tuple[Figure, Table, Table, Table]:
    (section,) = cross_domain_section(results, folder)
    assert section.title == "Across domains"
    figure, effects, scores, published = section.elements
    assert isinstance(figure, Figure)
    assert isinstance(effects, Table)
    assert isinstance(scores, Table)
    assert isinstance(published, Table)
    return figure, effects, scores, published


def headings(table: Table) -> list[str]:
    return [column.title for column in table.columns]


def test_effects_at_home_stand_beside_those_across(grid: Path, tmp_path: Path) -> None:
    figure, effects, _, _ = elements_of(read_results(grid), tmp_path)
    assert (tmp_path / figure.file).read_text().startswith("<?xml")
    assert headings(effects) == ["Factor", "home", "95 %", "across", "95 %", "Market", "Duke", *DIRECTIONS]
    erasing, bnneck = effects.rows
    assert (erasing[0], bnneck[0]) == ("Random erasing augmentation", "BNNeck")
    low, high = (float(bound.replace("−", "-")) for bound in erasing[2].strip("[]").split(", "))
    assert low < 3 < high
    low, high = (float(bound.replace("−", "-")) for bound in erasing[4].strip("[]").split(", "))
    assert low < -2 < high < 0
    same = published_table("cumulative_ablation_same_domain")
    across = published_table("cumulative_ablation_cross_domain")
    expected = [table[column][2] - table[column][1] for table, column in (
        (same, "market1501_mAP"), (same, "dukemtmc_mAP"), (across, "M_to_D_mAP"), (across, "D_to_M_mAP")
    )]  # fmt: skip
    assert [float(cell.replace("−", "-")) for cell in erasing[5:]] == pytest.approx(expected, abs=0.051)
    assert all(cell.startswith("−") for cell in erasing[7:]), "in the paper too it hurts across"


def test_every_arm_is_shown_on_every_set(grid: Path, tmp_path: Path) -> None:
    results = read_results(grid)
    _, _, scores, published = elements_of(results, tmp_path)
    assert headings(scores) == ["Arm", "day → day (home)", "day → night", "night → day", "night → night (home)"]
    assert [row[0] for row in scores.rows] == ["00", "01", "10", "11"], "an arm without what it is trained on"
    runs = results.runs[(results.runs["arm"] == "010")]
    mAP = 100 * runs["mAP@night"].mean()
    assert scores.rows[2][2] == f"{mAP:.1f} / {mAP + 10:.1f}"
    assert [row[0] for row in published.rows][-1] == "-REA (all tricks but REA)"
    assert published.rows[-1][1:] == ["–", "–", "25.7 / 41.4", "25.5 / 54.3"]
    assert "random erasing costs 3.9 and 3.9 points" in published.caption


def test_a_seventh_trick_leaves_the_page_as_it_is(grid: Path, tmp_path: Path) -> None:
    before = cross_domain_section(read_results(grid), tmp_path)
    with seventh_trick():
        assert cross_domain_section(read_results(grid), tmp_path) == before


def test_without_another_set_there_is_no_page(make_grid: MakeGrid, tmp_path: Path) -> None:
    assert cross_domain_section(read_results(make_grid(factors=[BNNECK], effects=[0.1])), tmp_path) == []


def test_other_data_than_those_of_the_level_are_a_mixture(grid: Path) -> None:
    run = json.loads((grid / "plan.json").read_text())["runs"][0]["signature"]
    path = grid.parents[1] / "runs" / run / "run.json"
    asked = json.loads(path.read_text())
    write_json(path, asked | {"dataset": asked["dataset"] | {"fingerprint": "feedbeef"}}, durable=False)
    with pytest.raises(InputError, match="found more than one data fingerprint: feedbeef"):
        read_results(grid)


def lines_of(section: Section) -> Lines:
    facts = section.elements[0]
    assert isinstance(facts, Facts)
    return facts.lines


def test_provenance_has_every_set_its_notes_and_its_split(grid: Path) -> None:
    lines = lines_of(provenance(read_results(grid)))
    assert ("Data: note", "day is drawn") in lines
    assert ("Data: note", "night is drawn") in lines
    assert list(lines).count(("Validation split", "none: evaluated on the test set")) == 2
    run = json.loads((grid / "plan.json").read_text())["runs"][0]["signature"]
    path = grid.parents[1] / "runs" / run / "run.json"
    asked = json.loads(path.read_text())
    day = asked["dataset"]["sets"]["day"]
    asked["dataset"]["sets"]["dusk"] = day | {"name": "dusk", "split": {"validation_identities": 0.2}}
    write_json(path, asked, durable=False)
    words = "20.0 % of the training identities; the test set is not used"
    assert ("Validation split", words) in lines_of(provenance(read_results(grid)))
