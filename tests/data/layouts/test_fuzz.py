"""Whatever the names, lists and tables: a data set or one line of InputError, never another exception."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reid.data import Cameras, load_dataset, open_dataset
from reid.data.layouts import LAYOUTS
from reid.data.layouts.files import UNPRINTABLE
from reid.errors import InputError
from tests.helpers.fuzz import few
from tests.helpers.tiny_datasets import MINIATURES, cuhk03_protocol, viper

pytestmark = pytest.mark.slow

FEW = few(60)
FOLDER_LAYOUTS = ["market1501", "dukemtmc", "veri776", "partial_reid", "occluded_reid", "cuhk03_np_labeled", "viper"]

names = st.one_of(
    st.binary(min_size=1, max_size=30),
    st.text(min_size=1, max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.from_regex(r"-?[0-9]{1,25}_c?[0-9]{0,4}[a-z_]{0,5}", fullmatch=True).map(str.encode),
).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_") + b".jpg")
cells = st.one_of(
    st.text(max_size=8), st.integers().map(str), st.sampled_from(["a.jpg", "-1", "1", "2", "train", "query", "gallery"])
)


CAMERAS: tuple[Cameras, ...] = ("none", "labelled")


def read(layout: str, root: Path, cache: Path | None = None) -> None:
    """Read it as a user would; an InputError must be one printable line."""
    try:
        for cameras in CAMERAS:
            dataset = load_dataset(layout, root, cameras=cameras)
        if cache is not None:
            open_dataset(dataset, (16, 16), cache, skip_unreadable=True)
    except InputError as error:
        message = str(error)
    else:
        message = "".join(dataset.notes)
        for split in dataset.splits.values():
            assert len(split.paths) == len(split.identities) == len(split.cameras)
    assert UNPRINTABLE.search(message) is None


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def fresh(workplace: Path, layout: str) -> Path:
    root = workplace / "root"
    shutil.rmtree(root, ignore_errors=True)
    return viper(root, range(3)) if layout == "viper" else MINIATURES[layout][0](root)


@FEW
@given(layout=st.sampled_from(FOLDER_LAYOUTS), found=st.lists(names, max_size=6), data=st.data())
def test_file_names(layout: str, found: list[bytes], data: st.DataObject, workplace: Path) -> None:
    root = fresh(workplace, layout)
    places = sorted(path for path in root.rglob("*") if path.is_dir() and not any(p.is_dir() for p in path.iterdir()))
    for name in found:
        place = os.fsencode(data.draw(st.sampled_from(places)))
        Path(os.fsdecode(os.path.join(place, name[:200]))).touch()  # noqa: PTH118 - bytes
    read(layout, root, workplace / "cache")


lines = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[0-9a-z/._ -]{0,20}_[0-9]{1,3}_[0-9]{1,22}_[a-z.]{1,8} -?[0-9]{1,22}", fullmatch=True),
)


@FEW
@given(
    file=st.sampled_from(["list_train.txt", "list_query.txt", "list_gallery.txt"]), content=st.lists(lines, max_size=5)
)
@example(file="list_train.txt", content=["a_b_1_" + "n" * 300 + ".jpg 3"])
def test_list_files(file: str, content: list[str], workplace: Path) -> None:
    root = fresh(workplace, "msmt17")
    (root / file).write_bytes("\n".join(content).encode("utf-8", "surrogatepass"))
    read("msmt17", root, workplace / "cache")


@FEW
@given(file=st.sampled_from(["list_train.txt", "list_gallery.txt"]), content=st.binary(max_size=60))
def test_list_files_of_bytes(file: str, content: bytes, workplace: Path) -> None:
    root = fresh(workplace, "msmt17")
    (root / file).write_bytes(content)
    read("msmt17", root)


@FEW
@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=6), max_size=6),
    header=st.sampled_from(["", "path,identity,camera,split\n", "path,identity,split\n"]),
)
def test_tables(rows: list[list[str]], header: str, workplace: Path) -> None:
    root = fresh(workplace, "csv")
    text = header + "\n".join(",".join(row) for row in rows)
    (root / "data.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    read("csv", root, workplace / "cache")


@FEW
@given(content=st.binary(max_size=80))
def test_tables_of_bytes(content: bytes, workplace: Path) -> None:
    (fresh(workplace, "csv") / "data.csv").write_bytes(content)
    read("csv", workplace / "root")


@few(10)
@given(data=st.data())
def test_protocols(data: st.DataObject, workplace: Path) -> None:
    """A MATLAB file with bytes changed and its end cut off."""
    root = cuhk03_protocol(fresh(workplace, "csv"))
    file = root / "cuhk03_new_protocol_config_detected.mat"
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    read("cuhk03_np_detected", root)


@given(st.text(max_size=20))
def test_layout_names(name: str) -> None:
    if name not in LAYOUTS:
        with pytest.raises(InputError, match="no such layout"):
            load_dataset(name, ".")
