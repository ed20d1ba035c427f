"""A study's PDF and its tables, read back with poppler."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reid.analysis.study_table import SIDES
from reid.report import FORMATS, write_report
from reid.report.elements import Facts, Table
from reid.report.study import read_study
from reid.report.study.verdict import headline, verdict
from tests.helpers.pdf_text import Read
from tests.helpers.studies_on_disk import CHOICE, KNOBS, MAP, SECONDS, MakeStudy, edit, write_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def read(read: Read) -> Read:
    """As everywhere, with single spaces."""
    return lambda pdf: re.sub(r"\s+", " ", read(pdf))


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every format of the report of a finished study."""
    folder = tmp_path_factory.mktemp("study")
    return write_report(write_study(folder / "output"), folder / "report", FORMATS)


def points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def test_every_number_of_the_tables_is_on_the_pages(reported: list[Path], read: Read) -> None:
    text, tables = read(reported[0]), {path.stem: path for path in reported if path.suffix == ".csv"}
    mean = pd.read_csv(tables["comparison"], index_col="seed").to_dict("index")["mean"]
    row = f"{points(mean['difference'])} [{points(mean['low'])}, {points(mean['high'])}]"
    assert f"mAP {100 * mean['defaults']:.1f} % {100 * mean['winner']:.1f} % {row} {mean['p']:.3f} 5" in text
    for trial in pd.read_csv(tables["trials"], keep_default_na=False).to_dict("records"):
        reached = f"{100 * float(trial['mAP']):.1f}" if trial["mAP"] else "–"
        weight = "off" if float(trial["center"]) == 0 else f"{float(trial['center']):.3g}"
        knobs = f"{float(trial['epsilon']):.3g} {float(trial['margin']):.3g} {weight}".replace("e-0", "e−")
        assert f" {trial['number']} {trial['state']} {reached} {knobs}" in text, trial
    shares = pd.read_csv(tables["importances"]).set_index(["method", "knob"])
    for knob in KNOBS:
        both = [shares.loc[(method, knob["name"])] for method in ("fanova", "ped_anova")]
        cells = [
            f"{100 * s['importance']:.1f} [{100 * s['low']:.1f}, {100 * s['high']:.1f}] {s['p']:.3f}" for s in both
        ]
        assert f"{knob['title']} {' '.join(cells)}" in text


def test_the_first_page_says_what_was_gained_and_what_was_luck(reported: list[Path], read: Read) -> None:
    text = read(reported[0])
    assert re.search(r"Tuning pays: \+\d\.\d points of mAP over the paper's defaults \(\[\+\d\.\d, \+\d\.\d\], p", text)
    assert re.search(
        r"own best value, 7\d\.\d %, was \d\.\d points of mAP better than what the same knobs gave with fresh seeds",
        text,
    )
    assert "Triplet margin matters most (75.0 % [69.0, 81.0] of the variance)" in text
    assert "52 of 60 complete, 1 diverged, 1 failed, 6 pruned" in text
    for title in ("The search", "Knobs and value", "Pairs of knobs", "Knob by knob", "On the way", "All trials"):
        assert title in text
    assert "Two objectives" not in text


def test_the_same_study_gives_the_same_bytes_in_all_formats(reported: list[Path], tmp_path: Path) -> None:
    again = write_report(reported[0].parents[1] / "output" / "studies" / "losses", tmp_path, FORMATS)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in reported]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gain": 0.0}, "No gain shown: "),
        ({"gain": -0.05}, "Tuning hurts: the winner is worse: −"),
        (
            {"fresh": 1},
            "Cannot tell yet whether tuning pays: .* one pair of runs shows no noise, two or more are needed",
        ),
        ({}, "Which knob matters is not told: 8 complete trials are too few"),
    ],
    ids=["null", "loss", "one pair", "eight trials"],
)
def test_the_headline_says_what_can_be_said(make_study: MakeStudy, options: dict[str, Any], words: str) -> None:
    assert re.search(words, headline(read_study(make_study(trials=9, **options))))


def with_p(fanova: float | None, ped_anova: float | None) -> Callable[[Any], Any]:
    """Importances with these p of the margin, the knob of the largest share, and 0.9 of others."""

    def change(found: dict[str, Any]) -> dict[str, Any]:
        for method, p in (("fanova", fanova), ("ped_anova", ped_anova)):
            for name, one in found[method].items():
                one["p"] = p if name == "margin" or p is None else 0.9
        return found

    return change


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ((0.9, 0.4), "No knob is told from noise: values dealt to the trials at random give shares as large."),
        ((None, None), "Which knob matters is not told: the shares were not tested against noise; `reid tune` tests"),
        ((0.05, 0.4), "What matters most is Triplet margin over the whole space (75.0 % [69.0, 81.0]); among the best "
                      "tenth no knob is told from noise."),
        ((0.4, 0.02), "What matters most is Triplet margin among the best tenth (75.0 % [60.0, 90.0]); over the whole "
                      "space no knob is told from noise."),
        ((0.02, 0.02), "Triplet margin matters most (75.0 % [69.0, 81.0] of the variance)."),
    ],
    ids=["noise", "of before", "the first method alone", "the second alone", "both"],
)  # fmt: skip
def test_a_knob_is_named_where_it_is_told_from_noise(
    make_study: MakeStudy, p: tuple[float | None, float | None], words: str
) -> None:
    folder = make_study()
    edit(folder / "importances.json", with_p(*p))
    assert words in headline(read_study(folder))


def test_a_winner_at_the_defaults_has_gained_nothing(make_study: MakeStudy) -> None:
    folder = make_study(trials=9)
    edit(
        folder / "comparison.json",
        lambda found: found | {"winner": found["winner"] | {"params": found["defaults"]["params"]}},
    )
    study = read_study(folder)
    assert headline(study).startswith("Nothing gained: the best trial has the paper's defaults.")
    assert [type(element) for element in verdict(study, folder)] == [Table, Table, Facts]  # nothing to draw


def test_fresh_seeds_that_diverged_speak_first(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = make_study(trials=9)

    def lose(found: dict[str, Any]) -> dict[str, Any]:
        found["winner"]["values"][2] = None
        return found

    edit(folder / "comparison.json", lose)
    study = read_study(folder)
    text = headline(study)
    assert text.startswith(
        "The winner diverged in 1 of 5 fresh seeds, the paper's defaults in 0 of 5. No gain shown: +"
    )
    assert "where neither diverged, in 4 of 5 seeds (p = 0." in text
    assert "favour who diverges" in str(verdict(study, tmp_path))


def test_winners_that_all_diverged_are_worse(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = make_study(trials=9)
    edit(folder / "comparison.json", lambda found: found | {"winner": found["winner"] | {"values": [None] * 5}})
    study = read_study(folder)
    assert headline(study).startswith(
        "The winner diverged in 5 of 5 fresh seeds, the paper's defaults in 0 of 5. Tuning hurts: the winner is worse: "
        "with no seed did neither diverge (p = 0.008 by the ranks of all runs, one that diverged being the worst)."
    )
    write_report(folder, tmp_path, ["html", "csv"])


def test_a_metric_without_noise_is_said_to_be_the_same_with_every_seed(make_study: MakeStudy) -> None:
    folder = make_study(trials=9)

    def still(found: dict[str, Any]) -> dict[str, Any]:
        return found | {side: found[side] | {"values": [0.7 + 0.1 * (side == "winner")] * 5} for side in SIDES}

    edit(folder / "comparison.json", still)
    assert headline(read_study(folder)).startswith(
        "Tuning pays: +10.0 points of mAP over the paper's defaults, the same with every seed (p = 0.008 by the ranks"
    )


def test_an_unfinished_search_says_that_nothing_is_proven(make_study: MakeStudy, read: Read, tmp_path: Path) -> None:
    folder = make_study(trials=16, compared=False, outcomes={13: "running", 14: "running", 15: "waiting"})
    text = read(write_report(folder, tmp_path)[0])
    assert "Not compared yet: 12 of 60 complete, 1 pruned, 2 running, 1 waiting" in text
    assert "a number that the search itself has chosen and that proves nothing" in text
    assert "Measured when the search ends" in text
    assert "No map: 12 complete trials are fewer than 20" in text


def test_two_objectives_and_a_choice(make_study: MakeStudy, read: Read, tmp_path: Path) -> None:
    folder = make_study(trials=30, objectives=(MAP, SECONDS), knobs=[*KNOBS[1:], CHOICE])
    text, study = read(write_report(folder, tmp_path)[0]), read_study(folder)
    assert re.search("Neck bnneck (none|bnneck) none, bnneck", text)
    assert "On the way" not in text
    for n in study.front:
        row = study.trials.to_dict("index")[n]
        assert f" {n} {100 * row['mAP']:.1f} {row['train_seconds']:.1f} {row['margin']:.3g}" in text
