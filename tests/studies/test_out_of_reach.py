"""The test set is out of a search's reach: by type, and because its images are not even opened."""

from pathlib import Path

import pytest
from mypy import api

from reid.store.run_folder import RunFolder
from reid.studies.study_file import StudyPlan
from reid.studies.validation_runs import SearchRuns
from tests.helpers.records import raw
from tests.studies.synthetic import open_runs, write_study

pytestmark = pytest.mark.slow

MISTAKES = """
from pathlib import Path
from reid.store.run_store import RunStore
from reid.data import BenchmarkDataset, DatasetSource, DecodedDataset, TuningDataset
from reid.store.run_folder import RunFolder
from reid.store.study import TrialRecord
from reid.studies.comparison import Comparison
from reid.studies.validation_runs import SearchRuns, ValidationRun, score
from reid.studies.study_file import StudyPlan

def study(
    plan: StudyPlan,
    run_store: RunStore,
    source: DatasetSource,
    tuning: DecodedDataset[TuningDataset],
    whole: DecodedDataset[BenchmarkDataset],
    best: TrialRecord,
    any_run: RunFolder,
) -> None:
    search = SearchRuns(run_store, source, tuning)
    Comparison(plan, best, source, whole, search)
    score(search.enter(plan.defaults, 0), "mAP")
    SearchRuns(run_store, source, whole)
    Comparison(plan, best, source, tuning, search)
    score(any_run, "mAP")
"""


def test_the_type_checker_refuses_to_search_on_the_test_set(tmp_path: Path) -> None:
    """A search on the whole data set, a comparison on a part, and the score of any run are type errors; no other is."""
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    root = Path(__file__).parents[2]
    options = ["--config-file", str(root / "pyproject.toml"), "--cache-dir", str(root / ".mypy_cache")]
    output, errors, status = api.run([*options, str(tmp_path / "mistakes.py")])
    lines = [int(line.split(":")[1]) for line in output.splitlines() if "mistakes.py" in line and ": error:" in line]
    source = MISTAKES.splitlines()
    assert [source[line - 1].strip() for line in lines] == [
        "SearchRuns(run_store, source, whole)",
        "Comparison(plan, best, source, tuning, search)",
        'score(any_run, "mAP")',
    ], output + errors
    assert status == 1


def test_every_run_of_a_search_has_a_split(tiny_root: Path, tmp_path: Path) -> None:
    plan = StudyPlan(write_study(tmp_path, tiny_root))
    runs: SearchRuns = open_runs(plan, tmp_path)
    asked = raw(RunFolder(runs.enter(plan.defaults, 0).folder.path), "run")
    assert asked["dataset"]["split"] == {"validation_identities": 0.2}
    test = {path for split in ("query", "bounding_box_test") for path in (tiny_root / split).iterdir()}
    assert not test & {path for split in runs.data.dataset.splits.values() for path in split.paths}
