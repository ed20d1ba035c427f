"""`reid verdict` on tables of other people's runs: textbooks, trackers' exports, and tables that are none."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.classic_data import PEAS, conversion, filtration
from tests.helpers.command import run_main
from tests.helpers.exported_runs import clearml_table, wandb_recipe, wandb_table

Verdict = Callable[..., tuple[str, str]]


@pytest.fixture
def verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verdict:
    """`reid verdict` on the text of a table, in an empty folder: what it prints, and its notes."""
    monkeypatch.chdir(tmp_path)

    def call(text: str, words: str, code: int = 0) -> tuple[str, str]:
        Path("runs.csv").write_text(text)
        monkeypatch.setenv("COLUMNS", "200")
        return run_main(monkeypatch, capsys, ["verdict", "runs.csv", *words.split()], code)

    return call


def effects() -> pd.DataFrame:
    """What the last call wrote."""
    return pd.read_csv("runs-verdict/tables/effects.csv", index_col="factor")


def test_filtration(verdict: Verdict) -> None:
    """Effects, and the pseudo standard error behind the p-values, are the textbook's; so is what depends on what."""
    printed, noted = verdict(filtration(), "--factors A,B,C,D --metric rate --format csv,html")
    found = effects()
    assert found["effect"].to_dict() == {"A": 21.625, "B": 3.125, "C": 9.875, "D": 14.625}
    assert found["kind"].to_dict() == {"A": "helps", "B": "undecided", "C": "helps", "D": "helps"}
    assert str(found.at["A", "verdict"]).startswith("helps; depends on C (")
    assert "this seed" not in printed + noted
    page = Path("runs-verdict/verdict.html").read_text()
    for words in ("−18.1", "+16.6", "standard deviation of a single run 5.2", "pseudo standard error of 15 contrasts"):
        assert words in page


def test_conversion(verdict: Verdict) -> None:
    words = "--factors catalyst,temperature,pressure,concentration --metric conversion --format csv"
    printed, _ = verdict(conversion(), words)
    found = effects()
    assert found["effect"].tolist() == [-8, 24, -2.25, -5.5]
    assert found["kind"].tolist() == ["hurts", "helps", "undecided", "hurts"]
    assert "temperature: 220 → 240" in printed
    verdict(conversion(), f"{words} --lower-is-better --base temperature=240")
    assert effects()["kind"].tolist() == ["helps", "helps", "undecided", "helps"]
    assert effects().at["temperature", "effect"] == -24


def test_peas(verdict: Verdict) -> None:
    """Blocks are seeds; the mean square and the p-values of R's aov(yield ~ block + N * P * K)."""
    printed, _ = verdict(PEAS, "--factors N,P,K --seed block --metric yield --format csv,html")
    found = effects()
    assert found["p"].round(4).to_dict() == {"N": 0.0044, "P": 0.4749, "K": 0.0288}
    assert found["kind"].to_dict() == {"N": "helps", "P": "undecided", "K": "undecided"}
    assert "6 seeds, column block" in printed
    page = Path("runs-verdict/verdict.html").read_text()
    assert "standard deviation of a single run 3.9" in page  # the root of 15.44
    assert "12 df" in page


def test_a_table_of_wandb(verdict: Verdict) -> None:
    """Runs that crashed, run, have NaN or lack a label are said and not averaged in; what was drawn is found."""
    printed, noted = verdict(
        wandb_table(), "--factors mixup,ema --seed seed --metric accuracy --matters 0.01 --format csv,html"
    )
    found = effects()
    assert found["kind"].to_dict() == {"mixup": "helps", "ema": "no_effect"}
    assert found["effect"].to_dict() == pytest.approx({"mixup": 0.02, "ema": 0}, abs=0.003)
    assert "no effect that matters (0.01)" in printed
    for said in ("3 of 19 runs are not finished (1 running, 2 crashed", "counted as diverged", "no label in train.ema"):
        assert said in noted
        assert said in Path("runs-verdict/verdict.html").read_text()
    runs = pd.read_csv("runs-verdict/tables/runs.csv")
    assert runs["state"].value_counts().to_dict() == {"finished": 14, "running": 1, "diverged": 1, "failed": 1}


def test_the_recipe_of_wandbs_documentation(verdict: Verdict) -> None:
    asked = "--factors optim.name,warmup_steps --seed seed --metric val.loss --format csv"
    _, told = verdict(wandb_recipe(), asked, code=2)
    assert "a loss may be better lower; say --lower-is-better or --higher-is-better" in told
    verdict(wandb_recipe(), f"{asked} --lower-is-better")
    assert effects()["kind"].to_dict() == {"optim.name": "undecided", "warmup_steps": "helps"}


def test_a_table_of_clearml(verdict: Verdict) -> None:
    """A choice of combinations with three levels, in seconds; an aborted run counts only if it is said so."""
    asked = "--factors schedule,flip,width --seed seed --metric seconds --lower-is-better --format csv,html"
    _, noted = verdict(clearml_table(), asked)
    found = effects()
    assert found["kind"].to_dict() == {"schedule": "helps", "flip": "hurts", "width=64": "hurts", "width=128": "hurts"}
    expected = {"schedule": -3, "flip": 8, "width=64": 4, "width=128": 12}
    assert found["effect"].to_dict() == pytest.approx(expected, abs=1)
    assert "1 aborted, 1 failed, 1 draft" in noted
    page = Path("runs-verdict/verdict.html").read_text()
    assert "11 of 12 combinations, 1 to 2 finished runs each, unbalanced" in page
    verdict(clearml_table(), f"{asked} --finished Aborted")
    assert abs(effects()["effect"].to_dict()["schedule"] + 3) > 5


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


def lines(rule: Callable[[int, int, int, int], float], arms: Sequence[tuple[int, int, int]], seeds: int) -> str:
    """A table of the factors a, b, c in these arms."""
    rows = [f"{a},{b},{c},{seed},{rule(a, b, c, seed)}" for seed in range(seeds) for a, b, c in arms]
    return "a,b,c,seed,acc\n" + "\n".join(rows) + "\n"


EVERY = list(product((0, 1), (0, 1), (0, 1)))
ABC = "--factors a,b,c --metric acc --format csv,html"


def wobbly(a: int, b: int, c: int, seed: int) -> float:
    """An effect of a, and noise without a pattern."""
    return 0.5 + 0.1 * a + 0.01 * ((7 * a + 11 * b + 13 * c + 5 * seed + 3 * a * seed + b * c * seed) % 6)


def test_a_constant_metric(verdict: Verdict) -> None:
    printed, _ = verdict(lines(lambda *_: 0.75, EVERY, 3), f"{ABC} --seed seed")
    assert effects()["kind"].unique().tolist() == ["not_estimable"]
    assert effects()["effect"].tolist() == [0, 0, 0]
    assert "no noise to compare it with" in printed
    assert "All runs have the same acc" in Path("runs-verdict/verdict.html").read_text()


def test_one_seed_and_no_seed_column(verdict: Verdict) -> None:
    """One seed speaks of itself; rows without a seed are runs of their own, and repeats of an arm are its noise."""
    printed, _ = verdict(lines(wobbly, EVERY, 1), f"{ABC} --seed seed")
    assert effects()["kind"].unique().tolist() == ["one_seed"]
    assert "this seed only: helps" in printed
    assert "The runs are of one seed" in Path("runs-verdict/verdict.html").read_text()
    printed, _ = verdict(lines(wobbly, EVERY, 3), ABC)
    assert effects()["kind"].to_dict() == {"a": "helps", "b": "undecided", "c": "undecided"}
    assert "left over between runs of one arm" in Path("runs-verdict/verdict.html").read_text()
    assert "every row of a combination is a run of its own" in printed


def test_an_unplanned_choice_of_combinations(verdict: Verdict) -> None:
    holes = [arm for arm in EVERY if arm != (1, 1, 1)]
    verdict(lines(wobbly, holes, 3), f"{ABC} --seed seed")
    assert effects().at["a", "kind"] == "helps"
    page = Path("runs-verdict/verdict.html").read_text()
    assert "a choice of combinations that follows no plan known here" in page
    assert "7 of 8 combinations, 3 finished runs each" in page
    few = [(0, 0, 0), (1, 0, 0), (0, 1, 1)]
    printed, _ = verdict(lines(wobbly, few, 3), f"{ABC} --seed seed")
    assert effects().loc[["b", "c"], "kind"].tolist() == ["not_estimable"] * 2
    assert "do not separate it from the others" in printed


def test_single_steps_are_told_from_main_effects(verdict: Verdict) -> None:
    verdict(lines(wobbly, [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], 3), f"{ABC} --seed seed")
    assert effects().at["a", "kind"] == "helps"
    assert "gain when it is added alone" in Path("runs-verdict/verdict.html").read_text()


def test_a_half_fraction_has_an_answer_at_the_users_word(verdict: Verdict) -> None:
    """Of resolution III: every factor is aliased with a pair."""
    half = lines(wobbly, [arm for arm in EVERY if sum(arm) % 2], 3)
    printed, _ = verdict(half, f"{ABC} --seed seed")
    assert effects()["kind"].unique().tolist() == ["not_estimable"]
    assert "aliased with" in printed
    verdict(half, f"{ABC} --seed seed --pairs-nil")
    assert effects().at["a", "kind"] == "helps"
    assert "taken to be nil, as asked by --pairs-nil" in Path("runs-verdict/verdict.html").read_text()


def test_units_change_nothing_but_the_numbers(verdict: Verdict) -> None:
    """Fractions, percent, and something tiny: the same p-values, and digits that show the intervals."""
    found = []
    for factor in (1, 100, 1e-7):
        table = lines(lambda *run, factor=factor: factor * wobbly(*run), EVERY, 3)
        printed, _ = verdict(table, f"{ABC} --seed seed")
        row = next(line for line in printed.splitlines() if line.lstrip().startswith("a "))
        found.append((effects()["p"].round(9).tolist(), row.split()[1]))
    assert found[0][0] == found[1][0] == pytest.approx(found[2][0])
    assert [printed for _, printed in found] == ["+0.100", "+10.0", "+1.00e−08"]


def test_labels_of_strangers_are_text(verdict: Verdict, tmp_path: Path) -> None:
    """Neither formula, markup, emoji code nor escape; characters that no font has; a label of a hundred characters."""
    odd = ["$\\alpha_1 :smile: [bold]x[/bold] <b>&", "学習率" + "x" * 100]
    others = ("{$_", "\x1b[31m#%")
    rows = [
        f"{label},{other},{seed},{seed + 3 * (label == odd[0])}.{len(other)}"
        for seed, label, other in product(range(3), odd, others)
    ]
    table = "學,a_$b,seed,acc\n" + "\n".join(rows) + "\n"
    printed, _ = verdict(table, "--factors 學,a_$b --seed seed --metric acc --format pdf,html,svg,latex,markdown")
    assert "學: $\\alpha_1 :smile: [bold]x[/bold] <b>& → 学習率xxxx" in printed
    assert "x" * 41 not in printed
    assert "\x1b" not in printed
    drawn = (tmp_path / "runs-verdict" / "verdict.svg").read_text()
    assert "\\u5b78: $\\alpha_1" in drawn
    assert "&lt;b&gt;&amp;" in (tmp_path / "runs-verdict" / "verdict.html").read_text()


def test_divergence_speaks_first(verdict: Verdict) -> None:
    def rule(a: int, b: int, c: int, seed: int) -> float:
        return float("nan") if not a and (b + c + seed) % 4 else wobbly(a, b, c, seed)

    _, noted = verdict(lines(rule, EVERY, 6), f"{ABC} --seed seed")
    assert effects().at["a", "kind"] == "helps"
    assert str(effects().at["a", "verdict"]).startswith(
        "prevents divergence (0 of 24 against 19 of 24); among survivors +"
    )
    assert "19 runs have NaN or infinity for acc (line 3" in noted


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--factors warmup,x --metric acc", "runs.csv: factor 'x' must be a column"),
        ("--factors warmup, --metric acc", "--factors: must be names with commas"),
        (f"{ASKED} --base lr", "--base: must be FACTOR=LEVEL, found 'lr'"),
        (f"{ASKED} --base lr=3", "--base lr=3: must be a level of lr, which are 0.1, 0.2"),
        (f"{ASKED} --format png", "--format: known are pdf, html, svg, latex, markdown, csv, found 'png'"),
        (f"{ASKED} -o x.pdf --format html", "x.pdf: the formats asked for are html"),
        (f"{ASKED} --matters inf", "--matters inf: must be a number"),
        (f"{ASKED} -o runs.csv", "runs.csv: must be writable for a report, found File exists"),
        (f"{ASKED} -o runs.csv/x.pdf", "runs.csv: must be writable for a report"),
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
