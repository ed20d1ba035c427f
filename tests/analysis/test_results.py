"""What a report computes once, for any metric of the table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reid.analysis.results import Results, read_results
from reid.report.elements import Table, Text
from reid.report.grid import effects as evidence
from reid.report.grid.rank_lists import rank_lists
from reid.statistics.design import MAIN as MAIN_EFFECT
from reid.tricks.paper import PAPER_TRICKS
from tests.helpers.grids_on_disk import MakeGrid

pytestmark = pytest.mark.slow


def test_an_arm_that_was_left_out_does_not_change_the_design(make_grid: MakeGrid) -> None:
    results = read_results(make_grid(keep=lambda arm: arm != "110011", design="full", iterations=0))
    assert (results.design.kind, results.design.estimand) == ("arms", MAIN_EFFECT)


def test_a_ladder_in_another_order_than_the_papers_keeps_its_own(make_grid: MakeGrid) -> None:
    results = read_results(make_grid(keep=lambda arm: "10" not in arm, seeds=(0, 1), iterations=60))
    assert results.order == list(reversed(PAPER_TRICKS))
    assert results.ladder is not None
    assert results.ladder["mean"].notna().all()


def test_any_numeric_column_has_effects_and_a_page(make_grid: MakeGrid) -> None:
    read = read_results(make_grid(seeds=(0, 1), iterations=60))
    noise = np.random.default_rng(0).normal(0, 0.01, len(read.runs))
    elsewhere = 0.3 - 0.1 * read.runs["random_erasing"] + noise
    runs = read.runs.assign(**{"mAP@elsewhere": elsewhere}, wobble=noise, empty=np.nan)
    results = replace(read, runs=runs)
    assert results.extras == [*read.extras, "mAP@elsewhere", "wobble"]
    assert results.effects["mAP@elsewhere"]["verdict"]["random_erasing"] == "hurts"
    (page,) = evidence.other_metrics(results, shown=())
    (table,) = page.elements
    assert isinstance(table, Table)
    rows = {(row[0], row[1]): row[2] for row in table.rows}
    assert rows["mAP@elsewhere", "Random erasing augmentation"].startswith(("−9.", "−10."))
    assert ("wobble", "BNNeck") in rows


def test_files_that_cannot_be_read_are_named_where_their_numbers_would_be(make_grid: MakeGrid, tmp_path: Path) -> None:
    results = read_results(make_grid(seeds=(0, 1), iterations=60))
    broken = results.grid.run(results.runs["signature"].tolist()[0])
    (broken.path / "query_ap.npy").write_bytes(b"\x93NUMPY not")
    (broken.path / "ranklists.json").write_text("[")
    (words,) = evidence.over_queries(results)
    assert isinstance(words, Text)
    assert f"{broken.path / 'query_ap.npy'}: must be an array" in words.body
    _, words, _ = rank_lists(results, tmp_path).elements
    assert isinstance(words, Text)
    assert f"{broken.signature}: ranklists.json cannot be read" in words.body


def words_over_queries(results: Results) -> str:
    (words,) = evidence.over_queries(results)
    assert isinstance(words, Text)
    return words.body


def test_runs_of_before_do_not_say_whom_their_queries_show(make_grid: MakeGrid) -> None:
    grid = make_grid(seeds=(0, 1), iterations=60)
    first = read_results(grid).grid.run(read_results(grid).runs["signature"].tolist()[0])
    identities = first.query_identities()
    assert identities is not None
    np.save(first.path / "query_identities.npy", identities[::-1])
    assert words_over_queries(read_results(grid)).endswith("not known, as the runs do not have the same queries.")
    np.save(first.path / "query_identities.npy", np.ones((2, 2)))
    assert "must hold a number a query, found an array (2, 2) of float64" in words_over_queries(read_results(grid))
    (first.path / "query_identities.npy").unlink()
    assert words_over_queries(read_results(grid)) == (
        "Uncertainty over queries: not known, as 1 of 128 finished runs have no query_identities.npy."
    )


def test_costs_are_raised_and_what_matters_of_mAP_is_not_asked_of_them(make_grid: MakeGrid) -> None:
    results = read_results(make_grid(seeds=(0, 1), iterations=60), matters=0.5)
    assert results.effects["mAP"]["verdict"].str.contains("matter").all()
    assert results.effects["train_seconds"]["verdict"]["last_stride"] == "raises it"
    assert results.effects["images_per_second"]["verdict"]["last_stride"] == "lowers it"
