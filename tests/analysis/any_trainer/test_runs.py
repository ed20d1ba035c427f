"""What each row of a table counts as, and that it is said."""

from pathlib import Path

import pytest

from reid.analysis.any_trainer import AnyRuns, Asked, read_any_runs, read_csv_file
from reid.analysis.any_trainer.asked import METRIC
from reid.errors import InputError

HEAD = "warmup,bnneck,seed,State,acc\n"
FULL = [f"{a},{b},{seed},finished,{seed + 2 * a + b}.5" for seed in (0, 1) for a in (0, 1) for b in (0, 1)]


def read(tmp_path: Path, lines: list[str], head: str = HEAD, **asked: object) -> AnyRuns:
    path = tmp_path / "runs.csv"
    path.write_text(head + "\n".join(lines) + "\n")
    words: dict[str, object] = {"factors": ("warmup", "bnneck"), "metric": "acc", "seed": "seed", **asked}
    return read_any_runs(read_csv_file(path), Asked(**words))  # type: ignore[arg-type]


def test_a_whole_table_needs_no_notes(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    assert not found.notes
    assert list(found.table["warmup"].cat.categories) == ["0", "1"]
    assert found.table[METRIC].tolist() == [0.5, 1.5, 2.5, 3.5, 1.5, 2.5, 3.5, 4.5]
    assert found.table["seed"].tolist() == ["0"] * 4 + ["1"] * 4
    assert found.titles == {"warmup": "warmup", "bnneck": "bnneck"}
    assert found.heads["state"] == "State"
    assert found.higher_is_better


@pytest.mark.parametrize(
    ("line", "note", "rows", "state"),
    [
        ("1,1,2,crashed,0.1", "1 of 9 runs are not finished (1 crashed", 9, "failed"),
        ("1,1,2,Running,0.1", "(1 running", 9, "running"),
        ("1,1,2,Queued,", "(1 queued", 9, "planned"),
        ("1,1,2,,0.1", "(1 without a state", 9, "unknown"),
        ("1,1,2,pruned,0.1", "(1 pruned", 9, "censored"),
        ("1,1,2,finished,", "1 run has no value of acc (line 10): not used", 9, "unknown"),
        ("1,1,2,finished,NaN", "1 run has NaN or infinity for acc (line 10): counted as diverged", 9, "diverged"),
        ("1,1,2,finished,-Infinity", "counted as diverged", 9, "diverged"),
        ("1,,2,finished,1", "1 run has no label in bnneck (line 10): left out", 8, "finished"),
        ("1,1,,finished,1", "1 run has no seed (line 10): left out", 8, "finished"),
        ("1,1,1.0,finished,4.5", "one arm, seed and value (line 9, line 10) are copies", 8, "finished"),
        ("1,1,1,finished,6.5", "one arm and seed with different values (line 9, line 10): their mean", 8, "finished"),
        (
            "1,1,1,failed,0.1",
            "1 run has another row of the same arm and seed that stands for it (line 10)",
            8,
            "finished",
        ),
        ("1,1,1,finished,nan", "counted as diverged", 9, "diverged"),
    ],
)
def test_every_other_row_is_said(tmp_path: Path, line: str, note: str, rows: int, state: str) -> None:
    found = read(tmp_path, [*FULL, line])
    assert note in " ".join(found.notes)
    assert len(found.table) == rows
    assert found.table["state"].iloc[-1] == state
    assert (found.table[METRIC].notna() == (found.table["state"] == "finished")).all()
    if "mean" in note:
        assert found.table[METRIC].iloc[-1] == 5.5


def test_without_a_seed_column_rows_are_runs_of_their_own(tmp_path: Path) -> None:
    found = read(tmp_path, [*FULL, FULL[0]], seed=None)
    assert len(found.table) == 9
    assert "alike in every cell (line 2, line 10) count as runs of their own" in " ".join(found.notes)
    assert "every row of a combination is a run of its own" in found.seeding
    assert found.seeding.endswith("if runs share seeds, name their column with --seed")
    assert not found.paired
    assert found.table["seed"].nunique() == 1


def test_seeds_that_no_two_combinations_share(tmp_path: Path) -> None:
    """Drawn anew for every run, or ranges of their own for every arm: there is nothing to pair."""
    lines = [f"{line[:4]}{1000 + row}{line[5:]}" for row, line in enumerate(FULL)]
    found = read(tmp_path, lines)
    assert not found.paired
    assert found.table["seed"].nunique() == 1
    assert len(found.table) == 8
    assert "No two combinations share a seed of column seed: runs are not paired." in found.notes
    assert read(tmp_path, [*lines, "0,0,1001,finished,1"]).paired
    one_seed = read(tmp_path, FULL[:4])
    assert one_seed.paired
    assert one_seed.seeding == "1 seed, column seed"


def test_states_by_another_column_or_word(tmp_path: Path) -> None:
    lines = [f"{line.replace('finished', 'stopped')},{'ok' if '0,0' in line else 'error'}" for line in FULL]
    head = HEAD.replace("acc", "acc,outcome")
    with pytest.raises(InputError, match=r"needs a finished run with a value of acc, found 8 failed; see --state"):
        read(tmp_path, lines, head)
    assert (read(tmp_path, lines, head, finished=("Stopped",)).table["state"] == "finished").all()
    assert read(tmp_path, lines, head, state="outcome").table["state"].tolist().count("finished") == 3
    with pytest.raises(InputError, match=r"line 10: State must be a known state .*found 'odd'; name it in --finished"):
        read(tmp_path, [*FULL, "1,1,2,odd,0.5"])
    of_the_union = [line.replace("finished", "Ohio") for line in FULL]
    assert "state" not in read(tmp_path, of_the_union).heads


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"factors": ("warmup", "acc")}, "acc and metric acc must be two columns, found 'acc' for both"),
        ({"seed": "warmup"}, "warmup and seed warmup must be two columns"),
        ({"finished": ("Ohio",), "metric": "State", "factors": ("warmup",)}, "--finished Ohio: needs a column State"),
        ({"seed": "sed"}, "seed column 'sed' must be a column; did you mean 'seed'?"),
        ({"base": {"lr": "0"}}, "--base lr=0: must name one of --factors warmup,bnneck"),
        ({"factors": ("seed", "warmup"), "seed": None}, "--factors seed: this name is kept for another column"),
        ({"metric": "bnneck", "factors": ("warmup", "State")}, "factor State must have two levels"),
    ],
)
def test_questions_that_do_not_fit(tmp_path: Path, asked: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as told:
        read(tmp_path, FULL, HEAD, **asked)
    assert words in str(told.value)


def test_the_better_direction(tmp_path: Path) -> None:
    """As said, as registered, else higher; a name of a cost is asked about."""

    def higher(metric: str, said: bool | None = None) -> bool:
        return read(tmp_path, FULL, HEAD.replace("acc", metric), metric=metric, higher_is_better=said).higher_is_better

    assert higher("acc")
    assert higher("mAP")
    assert not higher("train_seconds")
    assert higher("train_seconds", said=True)
    assert not higher("val/loss", said=False)
    for metric in ("val/loss", "top1_error", "Latency"):
        with pytest.raises(InputError, match="say --lower-is-better or --higher-is-better"):
            higher(metric)


def test_text_in_a_run_that_does_not_count_is_no_error(tmp_path: Path) -> None:
    assert len(read(tmp_path, [*FULL, "1,1,2,crashed,oom"]).table) == 9
    with pytest.raises(InputError, match=r"runs.csv line 10: acc must be a number, found 'oom'; mend the cell"):
        read(tmp_path, [*FULL, "1,1,2,finished,oom"])
