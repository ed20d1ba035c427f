"""A name given to `reid report`: a grid, a study, both or neither."""

from pathlib import Path

import pytest

from reid.errors import InputError
from reid.store.lookup import find_named


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder with the grids demo and both, and the studies losses and both."""
    for place, file, names in (("grids", "plan.json", ("demo", "both")), ("studies", "study.json", ("losses", "both"))):
        for name in names:
            (tmp_path / place / name).mkdir(parents=True)
            (tmp_path / place / name / file).write_text("{}")
    return tmp_path


def test_grids_and_studies_are_found_by_name_and_by_folder(output: Path) -> None:
    assert find_named(output, "demo") == output / "grids" / "demo"
    assert find_named(output, "losses") == output / "studies" / "losses"
    assert find_named(output / "elsewhere", str(output / "studies" / "both")) == output / "studies" / "both"


def test_a_name_of_both_is_refused_with_both_folders(output: Path) -> None:
    with pytest.raises(
        InputError, match=r"is a grid and a study in .*; give the folder of one: .*grids/both or .*stud"
    ):
        find_named(output, "both")


def test_an_unknown_name_is_refused_with_those_there_are(output: Path) -> None:
    with pytest.raises(
        InputError, match=r"'nope': must be a grid or a study in .*, found grids: both, demo; studies: "
    ):
        find_named(output, "nope")
