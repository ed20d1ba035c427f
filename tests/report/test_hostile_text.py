"""Names that a spreadsheet, Markdown, LaTeX or Typst would obey, and pictures from elsewhere: only shown, or not."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from reid.files import write_json
from reid.report import write_report
from reid.report.elements import Document, Section, Table, Text, left
from reid.report.render.html import to_html
from reid.report.render.latex import latex, to_latex
from reid.report.render.markdown import markdown, to_markdown
from reid.report.render.pdf import to_pdf
from reid.report.spreadsheet import disarm, text_cell
from reid.store.plan import FactorRecord
from tests.helpers.grids_on_disk import MakeGrid
from tests.helpers.pdf_text import Read

CONTROL = "a\x1b[31m\x00\x07b\x9b\u202e"
HOSTILE = FactorRecord(
    name="=HYPERLINK(1)", short="@S", title="-2+cmd|' /C calc'!A0 <b> *x* _y_ `c` $z$ \x1b[31m", levels=("+off", "@on")
)


@pytest.mark.parametrize(
    "cell", ["=1+1", "+SUM(1)", "-2+3+cmd", "@x", "\t=1", "\r=1", "-", "+1 2", "-1e", "--1", "=-1"]
)
def test_a_formula_is_a_text(cell: str) -> None:
    assert text_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-1", "+1.5", "-.5", "1e-05", "-3.2E+4", "-inf", "+nan", "", "a=b", "0101", "'=1"])
def test_what_is_a_number_or_begins_otherwise_stays(cell: str) -> None:
    assert text_cell(cell) == cell


def test_a_table_is_disarmed_in_heads_and_cells(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('=h,b\n"=1,""2""\n-x",-2.50\n', encoding="utf-8")
    disarm(file)
    assert file.read_text(encoding="utf-8") == '\'=h,b\n"\'=1,""2""\n-x",-2.50\n'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# a", r"\# a"),
        ("- x", r"\- x"),
        ("-2.5 to -1", "-2.5 to -1"),
        ("12) x", r"12\) x"),
        ("a_b _c_ *d*", r"a_b \_c\_ \*d\*"),
        ("[y](http://z) ![i](j) <b> `c` | ~ $", r"\[y\](http://z) !\[i\](j) \<b\> \`c\` \| \~ \$"),
        ("&lt; & &#60;", r"\&lt; & \&#60;"),
        ("a\nb\x1b", r"a b\\u001b"),
    ],
)
def test_markdown_is_escaped(text: str, shown: str) -> None:
    assert markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("[a]*", "{[}a{]}{*}"), ("a\x1bb\x9bc", "aU+001BbU+009Bc"), ("a\tb\u00a0c", "a b~c")]
)
def test_latex_is_escaped(text: str, shown: str) -> None:
    assert latex(text) == shown


def test_a_control_character_breaks_no_format(tmp_path: Path, read: Read) -> None:
    table = Table([left(CONTROL)], [[CONTROL], ["w" * 300]], caption=CONTROL)
    document = Document(
        CONTROL, "t", CONTROL, "2026-01-01T00:00:00+00:00", CONTROL, [], [Section("S", [Text(CONTROL), table])]
    )
    (tmp_path / "t.pdf").write_bytes(to_pdf(document, tmp_path))
    shown = r"a\u001b[31m\u0000\u0007b\u009b\u202e"
    assert shown in read(tmp_path / "t.pdf")
    for text in (to_html(document, tmp_path), to_latex(document), to_markdown(document)):
        assert not set(text) & set("\x00\x07\x1b\x9b\u202e")
    assert shown in to_html(document, tmp_path)


@pytest.mark.slow
def test_a_report_of_hostile_names_is_whole_in_every_format(make_grid: MakeGrid, tmp_path: Path, read: Read) -> None:
    grid = make_grid(factors=(HOSTILE,), effects=(0.01,), seeds=(0, 1, 2), iterations=60)
    every = ("pdf", "html", "latex", "markdown", "csv")
    written = {path.name: path for path in write_report(grid, tmp_path / "report", every)}
    assert r"-2+cmd|' /C calc'!A0 <b> *x*" in read(written["report.pdf"])
    for path in written.values():
        if path.suffix != ".pdf":
            assert "\x1b" not in path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                assert all(text_cell(cell) == cell for row in csv.reader(file) for cell in row)
    assert "<b>" not in written["report.html"].read_text()
    assert r"\*x\* \_y\_" in written["tables.md"].read_text()


@pytest.fixture
def pictured(make_grid: MakeGrid, tmp_path: Path) -> Callable[[str, str], str]:
    """A function that gives the report of runs that say where their pictures are: (root, file) to HTML."""

    def page(root: str, file: str) -> str:
        grid = make_grid(factors=(HOSTILE,), effects=(0.01,), iterations=60)
        for run in (grid.parents[1] / "runs").iterdir():
            write_json(run / "ranklists.json", [{"query": file, "top": [{"file": file, "right": True}]}])
            (run / "run.json").write_text((run / "run.json").read_text().replace("data/fabricated", root))
        return write_report(grid, tmp_path / "report", ("html",))[0].read_text()

    return page


@pytest.mark.slow
def test_a_picture_is_one_of_known_formats_below_its_root(pictured: Callable[[str, str], str], tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    inside, outside = Image.new("RGB", (32, 64)), tmp_path / "secret.png"
    inside.save(root / "a.png")
    inside.save(outside)
    inside.save(root / "b.eps")
    (root / "link.png").symlink_to(outside)
    assert "<span class=right>" in pictured(str(root), "a.png")
    for file in ("../secret.png", str(outside), "link.png"):
        assert f"Its images cannot be shown: {file} leads out of {root}." in pictured(str(root), file)
    assert "Its images cannot be shown: cannot identify image file" in pictured(str(root), "b.eps")
    assert "Its images cannot be shown: not a regular file" in pictured(str(root), ".")
    assert "name the data set&#39;s folder with --images." in pictured("", "a.png")
