"""The report as HTML, LaTeX and Markdown, and where it is written."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from reid.errors import InputError
from reid.files import write_json
from reid.report import chosen_formats, write_report
from reid.report.elements import (
    Alert,
    Card,
    Code,
    Document,
    Element,
    Facts,
    Figure,
    RankedImage,
    RankList,
    Ranks,
    Section,
    Table,
    Text,
    left,
    wide,
)
from reid.report.render.html import to_html
from reid.report.render.latex import latex
from reid.report.render.pdf import to_pdf, to_plain
from tests.helpers.grids_on_disk import EFFECTS, TRICK_FACTORS, MakeGrid
from tests.helpers.pdf_text import Read
from tests.helpers.services import need

pytestmark = pytest.mark.slow

TWO = {"factors": TRICK_FACTORS[:2], "effects": EFFECTS[:2], "seeds": (0, 1, 2), "iterations": 60}


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of order; keeps what a page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in ("img", "meta", "!doctype"):
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_html_is_one_file_that_needs_no_other(make_grid: MakeGrid, tmp_path: Path) -> None:
    (page,) = write_report(make_grid(**TWO), tmp_path, ["html"])
    text = page.read_text()
    parser = Balanced()
    parser.feed(text)
    assert parser.stack == []
    assert all(source.startswith(("data:", "#")) for source in parser.sources)
    assert sum(source.startswith("data:image/svg+xml") for source in parser.sources) >= 4
    assert "url(" not in text
    assert "<td class=left>Random erasing augmentation</td>" in text


ELEMENTS = [
    Text("a <b> & c"),
    Alert("a <b> & c"),
    Code("a <b>\n  & c"),
    Figure("one.svg", "a <b> & c"),
    Table([left("a <b> & c"), wide("b")], [["1", "2"]]),
    Facts([("a <b> & c", "1")]),
    Card("a <b> & c", [("k", "1")]),
    Ranks("a <b> & c", [RankList("one.svg", [RankedImage("one.svg", right=True)])]),
]


@pytest.mark.parametrize("element", ELEMENTS, ids=lambda element: type(element).__name__)
def test_every_element_is_in_the_html_and_the_pdf(element: Element, tmp_path: Path, read: Read) -> None:
    (tmp_path / "one.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    document = Document("T", "t", "Q", "2026-01-01T00:00:00+00:00", "H", [], [Section("S", [element])])
    page = to_html(document, tmp_path)
    assert re.search(r"a &lt;b&gt;\s+&amp; c", page.partition("<h2")[2]), "as text, never as markup"
    (tmp_path / "t.pdf").write_bytes(to_pdf(document, tmp_path))
    assert re.search(r"a <b>\s+& c", read(tmp_path / "t.pdf"))


def test_every_element_is_tested() -> None:
    assert {type(element) for element in ELEMENTS} == set(get_args(Element))


def test_what_is_no_part_of_a_document_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a document holds no float, found 0\.5"):
        to_plain(Text(0.5))  # type: ignore[arg-type]


def test_markdown_tables_have_a_cell_a_column(make_grid: MakeGrid, tmp_path: Path) -> None:
    (page,) = write_report(make_grid(**TWO), tmp_path / "verdict.md", ["markdown"])
    assert page.name == "verdict.md"
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    assert "| Factor | mAP, points | 95 % interval | p (Holm) | Verdict |" in rows
    marks = [n for n, row in enumerate(rows) if set(row) <= set("|:- ")]
    assert all(rows[n].count("|") == rows[n - 1].count("|") == rows[n + 1].count("|") for n in marks)


def test_latex_compiles_as_it_is(make_grid: MakeGrid, tmp_path: Path) -> None:
    (page,) = write_report(make_grid(**TWO), tmp_path, ["latex"])
    text = page.read_text()
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\end{longtable}") >= 6
    assert r"Random erasing augmentation" in text
    compiler = shutil.which("pdflatex")
    need(None if compiler else "pdflatex is not installed: the structure was checked only")
    assert compiler is not None
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", page.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5 % of a_b & {c}", r"5 \% of a\_b \& \{c\}"),
        ("−0.3 → ±1", r"$-$0.3 $\rightarrow$ $\pm$1"),
        (r"a\b~^", r"a\textbackslash{}b\textasciitilde{}\textasciicircum{}"),
        ("Gänge 行", "Gänge U+884C"),
    ],
)
def test_latex_is_escaped(text: str, shown: str) -> None:
    assert latex(text) == shown


def test_formats_are_named_or_follow_from_the_file() -> None:
    assert chosen_formats(None, Path("folder")) == ["pdf", "csv"]
    assert chosen_formats(None, Path("x.html")) == ["html", "csv"]
    assert chosen_formats("latex, markdown", Path("folder")) == ["latex", "markdown"]


def test_a_format_that_does_not_exist_or_does_not_fit_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--format: known are pdf, html, latex, markdown, csv, found 'docx'"):
        write_report(tmp_path, tmp_path, ["docx"])
    with pytest.raises(InputError, match="the formats asked for are pdf; give a folder or a file of one of them"):
        write_report(tmp_path, tmp_path / "x.html", ["pdf"])


def test_rank_lists_are_shown_with_right_and_wrong_framed(make_grid: MakeGrid, tmp_path: Path) -> None:
    grid = make_grid(**TWO)
    root = tmp_path / "data"
    for shade, name in enumerate(("query/1.jpg", "gallery/2.jpg", "gallery/3.jpg")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 64), (80 * shade, 30, 30)).save(root / name)
    lists = [{"query": "query/1.jpg", "top": [{"file": f"gallery/{n}.jpg", "right": n == 2} for n in (2, 3)]}]
    for run in (grid.parents[1] / "runs").iterdir():
        write_json(run / "ranklists.json", lists)
        asked = (run / "run.json").read_text().replace("data/fabricated", str(root))
        (run / "run.json").write_text(asked)
    (page,) = write_report(grid, tmp_path / "shown", ["html"])
    assert len(re.findall("<span class=right>", page.read_text())) == 2  # base arm and best arm
    assert len(re.findall("<span class=wrong>", page.read_text())) == 2
    assert write_report(grid, tmp_path / "shown", ["pdf"])[0].read_bytes().count(b"/Subtype/Image") >= 3
    (root / "data.csv").touch()
    for run in (grid.parents[1] / "runs").iterdir():  # the root of a CSV data set is its file
        (run / "run.json").write_text((run / "run.json").read_text().replace(str(root), str(root / "data.csv")))
    (page,) = write_report(grid, tmp_path / "csv", ["html"])
    assert len(re.findall("<span class=right>", page.read_text())) == 2
    moved = root.rename(tmp_path / "moved")
    plan = grid / "plan.json"
    before = plan.read_text()
    plan.write_text(before.replace("data/fabricated", str(moved / "data.csv")))
    (page,) = write_report(grid, tmp_path / "moved report", ["html"])
    assert len(re.findall("<span class=right>", page.read_text())) == 2
    plan.write_text(before)
    (page,) = write_report(grid, tmp_path / "gone", ["html"])
    assert f"Its images cannot be shown: they are no longer in {root / 'data.csv'}." in page.read_text()
