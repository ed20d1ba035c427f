"""The pages on loss oscillation and on the two spaces, and the indices as metrics; on fabricated runs."""

import json
from pathlib import Path

import numpy as np
import pytest

from reid.analysis.effects import effects
from reid.analysis.interactions import interactions
from reid.analysis.results import Results, read_results
from reid.analysis.runs_table import read_runs
from reid.analysis.shapley import shapley
from reid.evaluation.clusters import CLUSTERS, VERIFICATION
from reid.evaluation.feature_spaces import SPACES
from reid.report.elements import Figure, Table
from reid.report.grid.feature_spaces import directions, plane, spaces_section
from reid.report.grid.oscillation import INDICES, mean_and_margin, oscillation_section
from reid.report.loss_panels import arms_shown
from reid.store.run_folder import RunFolder
from reid.training import INDICES as MEASURED
from reid.training import measure_dynamics
from reid.training.diagnostics.conflict import CONFLICT_FIELDS
from tests.helpers.grids_on_disk import TRICK_FACTORS, MakeGrid
from tests.helpers.records import raw, write_raw

PAIR = TRICK_FACTORS[4:]
VARIANT = {"name": "variant", "short": "variant", "title": "Variant"}


def measured(grid: Path, drop: float = 0.2) -> Path:
    """The grid with dynamics and spaces in its runs: BNNeck (first factor) lowers conflict by `drop`."""
    plan = json.loads((grid / "plan.json").read_text())
    random = np.random.default_rng(3)
    for run in plan["runs"]:
        folder = RunFolder(grid.parents[1] / "runs" / run["signature"])
        share = 0.4 - drop * (run["arm"][0] == "1")
        curves = folder.curves()
        assert curves is not None
        for name in CONFLICT_FIELDS:
            curves[name] = np.where(
                np.arange(len(curves)) % 20 == 0, share + random.normal(0, 0.01, len(curves)), np.nan
            )
        folder.write_curves(curves)
        result = raw(folder, "result")
        if result is not None:
            result["dynamics"] = measure_dynamics(curves) | {"id_recovery": None}
            result["spaces"] = {
                space: result["metrics"] | {"mAP": 0.5 + 0.1 * i, "rank1": 0.6} for i, space in enumerate(SPACES)
            }
            result["clusters"] = {space: dict.fromkeys((*CLUSTERS, *VERIFICATION), 0.25) for space in SPACES}
            write_raw(folder, "result", result)
            features = random.normal(size=(12, 6))
            with (folder.path / "embeddings.npz").open("wb") as file:
                np.savez(file, before=features, after=features + 1, identities=np.repeat([1, 2, 3], 4))
    return grid


@pytest.fixture
def results(make_grid: MakeGrid) -> Results:
    return read_results(measured(make_grid(factors=PAIR, effects=(0.02, 0.01), seeds=(0, 1, 2), iterations=400)))


def test_the_words_name_every_index() -> None:
    assert sorted(INDICES) == sorted(MEASURED)


def test_indices_are_metrics_like_mAP(results: Results) -> None:
    table, names = results.runs, results.names
    assert set(MEASURED) <= set(table)
    assert table["id_recovery"].isna().all(), "null in the file"
    found = effects(table, names, "conflict_share").loc["bnneck"]
    assert found["effect"] == pytest.approx(-0.2, abs=0.01)
    assert found["low"] < -0.2 < found["high"] < 0
    assert abs(interactions(table, names, "conflict_share")["effect"].iloc[0]) < 0.02
    assert shapley(table, names, "conflict_share").loc["bnneck", "value"] == pytest.approx(-0.2, abs=0.01)


def test_columns_of_the_spaces(results: Results) -> None:
    assert results.runs["mAP_after_cosine"].tolist() == pytest.approx([0.8] * 12)
    assert results.runs["silhouette"].tolist() == pytest.approx([0.25] * 12)


def test_the_page_on_oscillation(results: Results, tmp_path: Path) -> None:
    (section,) = oscillation_section(results, tmp_path)
    assert section.title == "Do the losses fight?"
    files = [element.file for element in section.elements if isinstance(element, Figure)]
    assert files == ["losses.svg", "conflict.svg", "indices.svg"]
    for file in files:
        assert (tmp_path / file).read_text().count("<path") > 20
    tables = [element for element in section.elements if isinstance(element, Table)]
    share = next(row for row in tables[0].rows if row[0] == INDICES["conflict_share"] and row[1] == "BNNeck")
    assert share[2].startswith(("−0.2", "−0.19"))
    assert [row[0] for row in tables[1].rows] == [title for name, title in INDICES.items() if name != "id_recovery"]
    assert len(tables[1].columns) == 5, "the index and four arms"


def test_the_page_on_spaces(results: Results, tmp_path: Path) -> None:
    (section,) = spaces_section(results, tmp_path)
    table, figure = section.elements
    assert isinstance(table, Table)
    assert isinstance(figure, Figure)
    assert len(table.rows) == 4 * 4
    assert table.rows[3][:4] == ["00", "f_i", "cosine", "80.0"]
    assert (tmp_path / figure.file).exists()


def test_a_list_of_arms(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(factors=PAIR[:1], effects=(0.02,), seeds=(0, 1))
    plan = json.loads((grid / "plan.json").read_text())
    plan["factors"] = [{**VARIANT, "levels": ["both", "with BNNeck", "never run"]}]
    for arm, level in zip(plan["arms"], ("both", "with BNNeck"), strict=True):
        arm["levels"] = {"variant": level}
    (grid / "plan.json").write_text(json.dumps(plan))
    results = read_results(measured(grid))
    assert arms_shown(results) == {"0": "both", "1": "with BNNeck"}
    words = str(oscillation_section(results, tmp_path))
    assert "with BNNeck" in words
    assert "never run" not in words


def test_no_page_where_nothing_was_measured(make_grid: MakeGrid, tmp_path: Path) -> None:
    results = read_results(make_grid(factors=PAIR, effects=(0.02, 0.01), seeds=(0,)))
    assert oscillation_section(results, tmp_path) == []
    assert spaces_section(results, tmp_path) == []
    assert not set(MEASURED) & set(read_runs(results.grid))


def test_arms_without_bnneck_or_centre_loss_are_not_shown(make_grid: MakeGrid) -> None:
    factors = TRICK_FACTORS[:2]
    assert arms_shown(read_results(make_grid(factors=factors, effects=(0.02, 0.01)))) == {}


def test_mean_and_margin(results: Results) -> None:
    values = results.runs["seed"].head(0).astype(float)
    assert mean_and_margin(values) == "–"
    values = results.runs["mAP"].head(3) * 0 + [0.1, 0.2, 0.3]
    assert mean_and_margin(values) == "0.200 ± 0.248", "4.303 · 0.1 / √3"


def test_principal_components_keep_the_largest_spread() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(50, 5)) * [0.1, 5, 0.1, 2, 0.1] + 7
    points = plane(features, centred=True)
    np.testing.assert_allclose(np.abs(points.std(0)), [5, 2], rtol=0.3)
    np.testing.assert_allclose(points, plane(features, centred=True))


def test_directions_lie_in_the_unit_circle() -> None:
    features = np.random.default_rng(1).normal(size=(40, 6))
    lengths = np.linalg.norm(directions(features), axis=1)
    assert lengths.max() <= 1 + 1e-12
    flat = np.column_stack([features[:, :2], np.zeros((40, 4))])
    np.testing.assert_allclose(np.linalg.norm(directions(flat), axis=1), 1)
    np.testing.assert_allclose(directions(3 * features), directions(features), atol=1e-12)
