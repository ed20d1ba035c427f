"""CSV files as spreadsheets and trackers write them, and what is no such file."""

import json
from pathlib import Path

import pytest

from reid.analysis.any_trainer import Sheet, names_in, read_csv_file
from reid.errors import InputError


def sheet(tmp_path: Path, text: str | bytes) -> Sheet:
    path = tmp_path / "runs.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_csv_file(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_seen(tmp_path: Path, delimiter: str) -> None:
    found = sheet(tmp_path, f"a{delimiter}b\n1{delimiter} two words \n\n3{delimiter}4\n")
    assert list(found.heads) == ["a", "b"]
    assert [list(column) for column in found.columns] == [["1", "3"], ["two words", "4"]]
    assert list(found.rows) == ["line 2", "line 4"]
    assert found.decimal_comma == (delimiter == ";")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str) -> None:
    found = sheet(tmp_path, 'naïve,b\r\n"one\x1b\nand, another",x\r\n'.encode(encoding))
    assert list(found.heads) == ["naïve", "b"]
    assert found.columns[0] == ["one  and, another"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found nothing"),
        ("a,b\n", "found none"),
        ("a,b\n1,2\n1,2,3\n", "line 3: must have as many cells as the head, 2, found 3"),
        ("a,b\n1\n", "line 2: must have as many cells as the head, 2, found 1"),
        ('a,b\n1,"2\n', "line 2: must be CSV, found unexpected end of data"),
        (b"a,b\n\xff1,2\n", "UTF-8"),
        (b"PK\x03\x04\0\0", "zero byte"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(InputError, match=r"runs\.csv") as told:
        sheet(tmp_path, text)
    assert words in str(told.value)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_csv_file(tmp_path / "none.csv")
    with pytest.raises(InputError, match="directory"):
        read_csv_file(tmp_path)


def test_dictionaries_in_cells_become_columns(tmp_path: Path) -> None:
    """W&B's recipe of an export writes Python's dictionaries, nan and all, others JSON; text with braces stays text."""
    rows = [
        ("{'acc': nan, '_wandb': {'runtime': 3}, 'f': -1.5}", '{"lr": 0.1, "aug": null, "sizes": [1, 2]}', "{x}"),
        ("{'acc': 0.5, 'tags': ('a', None)}", '{"lr": 0.2, "on": true}', "{y}"),
        ("", "", "plain"),
    ]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    found = sheet(tmp_path, "summary,config,name\n" + "\n".join(lines) + "\n")
    columns = dict(zip(found.heads, map(list, found.columns), strict=True))
    assert columns == {
        "summary.acc": ["nan", "0.5", ""],
        "summary._wandb.runtime": ["3", "", ""],
        "summary.f": ["-1.5", "", ""],
        "summary.tags": ["", json.dumps(["a", None]), ""],
        "config.lr": ["0.1", "0.2", ""],
        "config.aug": ["none", "", ""],
        "config.sizes": ["[1, 2]", "", ""],
        "config.on": ["", "True", ""],
        "name": ["{x}", "{y}", "plain"],
    }


def test_cells_are_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    cell = f"{{'a': open({str(trap)!r}, 'w')}}"
    assert sheet(tmp_path, f'config\n"{cell}"\n').columns == [[cell]]
    assert not trap.exists()


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("lr", "Args/lr"),
        ("args/lr", "Args/lr"),
        ("SEED", "seed"),
        ("accuracy", "validation > accuracy (Last)"),
        ("validation/accuracy", "validation > accuracy (Last)"),
        ("model.depth", "config.model.depth"),
        ("depth", "config.model.depth"),
        ("warmup", "config.warmup"),
    ],
)
def test_columns_by_the_names_that_users_give(name: str, head: str) -> None:
    heads = ["seed", "Args/lr", "validation > accuracy (Last)", "config.model.depth", "summary.warmup", "config.warmup"]
    found = Sheet("x", "x", heads, [[] for _ in heads], [], "")
    assert heads[found.find(name, "factor")] == head


def test_a_column_that_is_nested_deeper_is_not_guessed() -> None:
    heads = ["tags.trick.warmup", "params.schedule.warmup", "params.lr", "tags.lr", "params.seed", "params.data.seed"]
    found = Sheet("x", "x", heads, [[] for _ in heads], [], "")
    assert (heads[found.find("lr", "factor")], heads[found.find("seed", "seed")]) == ("params.lr", "params.seed")
    with pytest.raises(InputError, match=r"must be one column, found 'tags.trick.warmup', 'params.schedule.warmup'"):
        found.find("warmup", "factor")


def test_no_column_and_several() -> None:
    heads = ["train/acc", "val/acc", "warmup"]
    found = Sheet("runs.csv", "runs", heads, [[], [], []], [], "")
    with pytest.raises(InputError, match=r"runs.csv: metric 'acc' must be one column, found 'train/acc', 'val/acc'"):
        found.find("acc", "metric")
    with pytest.raises(InputError, match=r"factor 'warm_up' must be a column; did you mean 'warmup'\?"):
        found.find("warm_up", "factor")
    with pytest.raises(InputError, match="the columns are train/acc, val/acc, warmup"):
        found.find("zzz", "factor")


def test_lists_of_names() -> None:
    assert names_in('a, "b,c" ,d', "--factors") == ("a", "b,c", "d")
    for text in ("", "a,,b", "a,"):
        with pytest.raises(InputError, match="--factors: must be names"):
            names_in(text, "--factors")
    with pytest.raises(InputError, match="'a' more than once"):
        names_in("a,b,a", "--factors")
