"""`reid verdict` on tables of other people's runs: textbooks, trackers' exports, and tables that are none."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reid.cli.app import main
from tests.helpers.classic_data import PEAS, conversion, filtration

Verdict = Callable[..., tuple[str, str]]


@pytest.fixture
def verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verdict:
    """`reid verdict` on the text of a table, in an empty folder: what it prints, and its notes."""
    monkeypatch.chdir(tmp_path)

    def call(text: str, words: str, code: int = 0) -> tuple[str, str]:
        Path("runs.csv").write_text(text)
        monkeypatch.setattr("sys.argv", ["reid", "verdict", "runs.csv", *words.split()])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert ended.value.code == code, captured.err
        return captured.out, captured.err

    return call


def test_filtration(verdict: Verdict) -> None:
    printed, _ = verdict(filtration(), "--factors A,B,C,D --metric rate --format csv")
    assert printed


def test_conversion(verdict: Verdict) -> None:
    printed, _ = verdict(
        conversion(), "--factors catalyst,temperature,pressure,concentration --metric conversion --format csv"
    )
    assert "temperature: 220 → 240" in printed


def test_peas(verdict: Verdict) -> None:
    printed, _ = verdict(PEAS, "--factors N,P,K --seed block --metric yield --format csv")
    assert "6 seeds, column block" in printed


TABLE = "warmup,lr,seed,acc\n" + "".join(
    f"{warmup},{lr},{seed},{0.5 + 0.1 * (warmup == 'on') + lr / 3 + seed / 100}\n"
    for seed in (0, 1, 2)
    for warmup in ("on", "off")
    for lr in (0.1, 0.2)
)
ASKED = "--factors warmup,lr --seed seed --metric acc"


def test_all_formats_and_one(verdict: Verdict, tmp_path: Path) -> None:
    printed, noted = verdict(TABLE, ASKED)
    paths = [line for line in printed.splitlines() if line.startswith("runs-verdict")]
    assert paths == [
        "runs-verdict/verdict.pdf",
        "runs-verdict/verdict.html",
        "runs-verdict/verdict.svg",
        "runs-verdict/tables/effects.csv",
        "runs-verdict/tables/runs.csv",
    ]
    assert not noted
    assert (tmp_path / paths[0]).read_bytes().startswith(b"%PDF")
    page = (tmp_path / paths[1]).read_text()
    for words in ("What changes acc", "lr: 0.1 → 0.2", "3 seeds, column seed", "every combination of levels"):
        assert words in page
    assert "effect on acc" in (tmp_path / paths[2]).read_text()
    printed, _ = verdict(TABLE, f"{ASKED} -o only/one.pdf")
    assert [path.name for path in (tmp_path / "only").iterdir()] == ["one.pdf"]
    verdict(TABLE, f"{ASKED} -o text --format markdown,latex")
    assert sorted(path.name for path in (tmp_path / "text").iterdir()) == ["tables.md", "tables.tex"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--factors warmup,x --metric acc", "runs.csv: factor 'x' must be a column"),
        ("--factors warmup, --metric acc", "--factors: must be names with commas"),
        (f"{ASKED} --base lr", "--base: must be FACTOR=LEVEL, found 'lr'"),
        (f"{ASKED} --base lr=3", "--base lr=3: must be a level of lr, which are 0.1, 0.2"),
        (f"{ASKED} --format png", "--format: known are pdf, html, svg, latex, markdown, csv, found 'png'"),
        (f"{ASKED} -o x.pdf --format html", "x.pdf: the formats asked for are html"),
        (f"{ASKED} --experiment e", "--experiment e: goes with --from-mlflow"),
        (f"{ASKED} --from-mlflow sqlite:///x.db", "takes a CSV file or --from-mlflow, one of them"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(verdict: Verdict, tmp_path: Path, words: str, told: str) -> None:
    _, noted = verdict(TABLE, words, code=2)
    assert told in noted
    assert noted.startswith("error: ")
    assert noted.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_neither_torch_nor_what_draws_comes_before_the_table(tmp_path: Path) -> None:
    """In a process of its own: what is imported when the table is printed, and when all is written."""
    (tmp_path / "runs.csv").write_text(TABLE)
    program = """
import sys
import reid.cli.verdict as command
from reid.cli.app import main

def imported():
    return sorted({"torch", "torchvision", "matplotlib", "mlflow"} & set(sys.modules))

shown = command._print
def show(found):
    shown(found)
    print("after the table:", imported())
command._print = show
try:
    main()
finally:
    print("at the end:", imported())
"""
    words = ["verdict", "runs.csv", *ASKED.split()]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "after the table: []" in done.stdout
    assert "at the end: ['matplotlib']" in done.stdout
