"""The user's own CSV file."""

from pathlib import Path

import pytest

from reid.data import load_dataset
from reid.errors import InputError
from tests.helpers.tiny_datasets import table

GOOD = "path,identity,camera,split\nt.jpg,1,1,train\nq.jpg,2,1,query\ng.jpg,2,2,gallery\n"


def written(root: Path, text: str | bytes) -> Path:
    file = root / "mine.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_the_file_or_its_folder(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    assert load_dataset("csv", file).train.paths == load_dataset("csv", tmp_path).train.paths == (tmp_path / "t.jpg",)
    (tmp_path / "other.csv").touch()
    with pytest.raises(InputError, match="give a CSV file, or a folder that holds one; found 2"):
        load_dataset("csv", tmp_path)


def test_junk_is_dropped(tmp_path: Path) -> None:
    assert "junk.jpg" not in {path.name for path in load_dataset("csv", table(tmp_path)).gallery.paths}


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        "split,camera,identity,path\ntrain,1,1,t.jpg\nquery,1,2,q.jpg\ngallery,2,2,g.jpg\n",
        GOOD.replace("t.jpg", '"t.jpg"'),
    ],
    ids=["Windows", "byte order mark", "no last newline", "empty lines", "other order", "quotes"],
)
def test_spreadsheets_write_it_like_this(text: str, tmp_path: Path) -> None:
    assert load_dataset("csv", written(tmp_path, text)).train.identities.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            r"mine\.csv:1: columns must be path,identity,camera,split\[,sequence\], found ''; .* leave that",
        ),
        ("path,identity,camera\n", r"mine\.csv:1: columns must be .* found 'path,identity,camera'"),
        ("path,identity,identity,split\n", "columns must be"),
        (GOOD.replace("camera", "cam"), "columns must be"),
        (GOOD.replace("\nq", ",path\nq", 1), r"mine\.csv:2: must have 4 cells as the first line does, found 5"),
        (GOOD.replace("t.jpg,1,1", "t.jpg,1"), r"mine\.csv:2: must have 4 cells as the first line does, found 3"),
        (GOOD.replace("t.jpg,1", "t.jpg,one"), r"mine\.csv:2: identity must be a whole number .* found 'one'"),
        (GOOD.replace("t.jpg,1", "t.jpg,1.0"), "identity must be a whole number"),
        (GOOD.replace("t.jpg,1", f"t.jpg,{10**18}"), "at most 18 digits"),
        (GOOD.replace("q.jpg,2,1", "q.jpg,2,"), r"mine\.csv:3: camera must be a whole number"),
        (GOOD.replace("query", "probe"), r"mine\.csv:3: split must be train, query, gallery, found 'probe'"),
        (GOOD.replace("t.jpg", "/etc/passwd"), r"mine\.csv:2: path must be a printable relative path inside"),
        (GOOD.replace("t.jpg", "a/../../t.jpg"), "path must be a printable relative path inside"),
        (GOOD.replace("t.jpg", ""), "path must be a printable relative path inside"),
        (GOOD.replace("t.jpg", "t\0.jpg"), "path must be a printable relative path inside"),
        (GOOD + "q.jpg,2,1,query\n", r"every image once, but 'q\.jpg' is named twice"),
        (GOOD.replace("t.jpg", "a\\t.jpg"), r"mine\.csv:2: folders are told apart by /, and there is no file 'a"),
        (GOOD.replace("t.jpg", '"t.jpg'), r"mine\.csv:\d+: not a CSV file"),
        (GOOD.encode("utf-16"), r"mine\.csv:1: must be UTF-8 text, found UTF-16; save it as UTF-8"),
        (GOOD.replace("g.jpg", "gö.jpg").encode("latin-1"), r"mine\.csv:4: must be UTF-8 text, found the byte 0xf6"),
        (
            "path,identity,camera,split,sequence\nt.jpg,1,1,train,x\n",
            r"mine\.csv:2: sequence must be a whole number",
        ),
    ],
)
def test_bad_files_say_line_rule_and_value(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_dataset("csv", written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: give a CSV file, or a folder that holds one; found 0"):
        load_dataset("csv", tmp_path / "nowhere")
