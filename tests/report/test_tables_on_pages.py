"""Every number of the CSVs that a page claims, found in the PDF's text by poppler."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reid.report import write_report
from reid.statistics.inference import benjamini_hochberg
from reid.tricks import TRICKS
from tests.helpers.grids_on_disk import OUTCOMES, write_grid
from tests.helpers.pdf_text import Read, has_row, percent, plain, points, probability, rows, tables, triple

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["complete", "incomplete", "one seed"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PDF of a six-trick grid: three seeds, two seeds with runs missing, or one seed."""
    options: dict[str, dict[str, Any]] = {
        "complete": {"seeds": (0, 1, 2)},
        "incomplete": {"seeds": (0, 1), "outcomes": OUTCOMES},
        "one seed": {},
    }
    folder = tmp_path_factory.mktemp("report")
    return write_report(write_grid(folder / "output", iterations=400, **options[request.param]), folder / "report.pdf")[
        0
    ]


def test_effects_of_the_tables_are_on_the_pages(report: Path, read: Read) -> None:
    text, table = read(report), tables(report)
    effects = table("effects").set_index(["metric", "factor"]).to_dict("index")
    shapley = {row["factor"]: (row["value"], row["low"], row["high"]) for row in table("shapley").to_dict("records")}
    shapley_q = table("shapley").set_index("factor")["q"].to_dict()
    rates = {
        metric: dict(zip(frame["factor"], benjamini_hochberg(frame["p"].to_numpy()), strict=True))
        for metric, frame in table("effects").groupby("metric")
    }
    singles = table("singles").set_index("factor").to_dict("index")
    for name, trick in TRICKS.items():
        main = effects["mAP", name]
        first = triple(main["effect"], main["low"], main["high"])
        assert has_row(text, trick.title, first)
        assert re.sub(r"\s+", " ", main["verdict"].split(";")[0]) in text
        assert has_row(text, trick.title, first + triple(*shapley[name]))
        words = []
        for metric in ("mAP", "rank1", "mINP"):
            row = effects[metric, name]
            words += [*triple(row["effect"], row["low"], row["high"]), probability(rates[metric][name])]
        assert has_row(text, trick.title, words)
        single = singles[name]
        p = [main["p_holm"], shapley_q[name], single["alone_q"], single["away_q"]]
        assert has_row(text, trick.title, [probability(value) for value in p if not pd.isna(value)])


def test_single_steps_costs_queries_and_published_gaps_of_the_tables_are_on_the_pages(report: Path, read: Read) -> None:
    text, table = read(report), tables(report)
    squeezed = re.sub(r"\s+", " ", text)
    effects = table("effects").set_index(["metric", "factor"]).to_dict("index")
    singles = table("singles").set_index("factor")
    known = [name for name in ("alone", "away") if singles[name].notna().any()]
    queries = table("queries").set_index("factor").to_dict("index")
    for name, trick in TRICKS.items():
        main = [effects["mAP", name][key] for key in ("effect", "low", "high")]
        single = singles.to_dict("index")[name]
        shown = [word for key in known for word in triple(*(single[f"{key}{end}"] for end in ("", "_low", "_high")))]
        assert any(row[-len(shown) :] == shown for row in rows(text, trick.title)), shown
        assert has_row(text, trick.title, [*triple(*main), *triple(0, queries[name]["low"], queries[name]["high"])[1:]])
        cost = [effects[metric, name] for metric in ("train_seconds", "images_per_second", "peak_memory_mb")]
        shown = [word for row in cost for word in plain(row["effect"], row["low"], row["high"])]
        assert " ".join(triple(*main) + shown) in squeezed, shown
    for gap in table("published").to_dict("records"):
        ours = " ".join(triple(gap["ours"], gap["low"], gap["high"]))
        assert f"{gap['data']} {points(gap['theirs'])} {ours} {points(gap['difference'])}" in squeezed, gap


def test_interactions_of_the_table_are_on_the_page(report: Path, read: Read) -> None:
    text, table = read(report), tables(report)("interactions")
    assert len(table) == 15
    lines = [line.split() for line in text.splitlines()]
    for row in table.to_dict("records"):
        words = triple(row["effect"], row["low"], row["high"])
        assert any(words == line[n : n + 3] for line in lines for n in range(len(line))), row
        assert f"{TRICKS[row['factor']].title} × {TRICKS[row['with']].title.split()[0]}" in text


def test_ladder_of_the_table_is_on_the_page_beside_the_published_one(report: Path, read: Read) -> None:
    text, table = read(report), tables(report)("ladder")
    for rung, published in zip(table.to_dict("records"), (74.0, 75.2, 79.3, 80.3, 81.7, 85.7, 85.9), strict=True):
        label = "none" if rung["rung"] == "none" else f"+ {TRICKS[rung['rung']].title}"
        band = f"{percent(rung['band_low'])}–{percent(rung['band_high'])}"
        p = probability(rung["q"])
        words = [percent(rung["mean"]), *triple(rung["step"], rung["low"], rung["high"]), p, band, f"{published:.1f}"]
        assert has_row(text, label, words), words


def test_arms_and_runs_of_the_tables_are_on_the_pages(report: Path, read: Read) -> None:
    text, table = read(report), tables(report)
    arms, runs = table("arms"), table("runs")
    assert len(arms) == 64
    repeated = (arms["finished"] > 1).any()
    for arm in arms.to_dict("records"):
        words = ["●" if arm[name] else "○" for name in TRICKS] + [str(arm["finished"])]
        for metric in ("mAP", "rank1", "mINP"):
            words += [percent(arm[metric]), *([percent(arm[f"{metric}_sd"])] if repeated else [])]
        words.append("–" if pd.isna(arm["train_seconds"]) else f"{arm['train_seconds']:.1f}")
        assert has_row(text, arm["arm"], words), words
    squeezed = re.sub(r" +", " ", text)
    for run in runs.to_dict("records"):
        assert f"{run['signature']} {run['arm']} {run['seed']} {run['state']} {percent(run['mAP'])}" in squeezed
        if run["state"] in ("diverged", "failed"):
            assert f"{run['signature']} {run['arm']} {run['seed']} {run['state']} {run['reason']}" in squeezed
