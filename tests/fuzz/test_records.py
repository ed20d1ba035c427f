"""Whatever happens to a file of an output folder, every command ends with a state, a line, or all it was asked for."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from reid.store.plan import FactorRecord
from reid.store.run_store import RunStore
from reid.studies.storage import Storage
from tests.helpers.fuzz import mutated, rounds, run_reid
from tests.helpers.grids_on_disk import write_grid
from tests.helpers.studies_on_disk import write_study

pytestmark = pytest.mark.slow

FACTORS = (FactorRecord(name="warmup", levels=("off", "on")), FactorRecord(name="bnneck", levels=("off", "on")))
VALUES: list[Any] = [
    None, True, -1, 0, 7, 2**63, 1e308, -0.0, "", "x", "\0", "ü" * 300, "../../x", [], [None], {}, {"a": 1}, [[[]]],
    "2026-13-45", float("nan"), float("inf"), "finished", "0" * 16, "9" * 5000,
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid with a run in every state, and a study."""
    output = tmp_path_factory.mktemp("whole") / "output"
    outcomes = {("01", 1): "failed", ("10", 1): "stopped", ("11", 1): "running", ("00", 1): "diverged"}
    write_grid(output, name="one", factors=FACTORS, effects=(0.1, 0.2), seeds=(0, 1), outcomes=outcomes, iterations=40)
    study = write_study(output, name="knobs", trials=10, fresh=2)
    with Storage("sqlite", study) as storage:
        in_optuna = optuna.create_study(study_name="knobs", storage=storage.backend)
        for value in (0.5, 0.25):
            in_optuna.add_trial(optuna.trial.create_trial(value=value))
    for folder in RunStore(output).folders():
        folder.log.write_text("2026-01-01 00:00:00 attempt 1 on cpu\n2026-01-01 00:00:01 finished\n", encoding="utf-8")
    return output


def changed_value(tree: Any, chance: random.Random) -> Any:
    """A JSON value with one value in it changed, lost or renamed."""
    if isinstance(tree, dict) and tree and chance.random() < 0.9:
        key = chance.choice(list(tree))
        if chance.random() < 0.1:
            return {name: value for name, value in tree.items() if name != key}
        if chance.random() < 0.1:
            return {f"{key}x" if name == key else name: value for name, value in tree.items()}
        return tree | {key: changed_value(tree[key], chance)}
    if isinstance(tree, list) and tree and chance.random() < 0.9:
        place = chance.randrange(len(tree))
        if chance.random() < 0.1:
            return tree[:place] + tree[place + 1 :]
        return [*tree[:place], changed_value(tree[place], chance), *tree[place + 1 :]]
    return chance.choice(VALUES)


def damage(file: Path, chance: random.Random) -> str:
    """Do something to a file; what, in a word."""
    if chance.random() < 0.05:
        file.unlink()
        return "lost"
    if chance.random() < 0.05:
        file.unlink()
        file.mkdir()
        return "a folder"
    if file.suffix == ".json" and chance.random() < 0.6:
        tree = json.loads(file.read_bytes())
        for _ in range(chance.choice((1, 1, 1, 3))):
            tree = changed_value(tree, chance)
        file.write_text(json.dumps(tree), encoding="utf-8", errors="surrogatepass")
        return "changed"
    file.write_bytes(mutated(file.read_bytes(), chance))
    return "mutated"


def kinds_of_commands(output: Path, signature: str, chance: random.Random) -> list[list[list[str]]]:
    """Those that cost little, and those that cost much; the last of all removes the run."""
    there = ["--output", str(output)]
    cheap = [
        ["status", *there],
        ["status", "one", *there],
        ["status", "one", "--json", *there],
        ["retry", "one", *there],
        ["stop", "one", *there],
        ["logs", signature, *there],
        ["doctor", str(output)],
    ]
    dear = [
        ["report", "one", "--format", "csv", "--out", str(output / "report"), *there],
        ["report", "knobs", "--format", "csv", "--out", str(output / "report"), *there],
        ["report", chance.choice(("one", "knobs")), "--format", "html", "--out", str(output / "report"), *there],
        ["curves", signature, "--out", str(output / "curves.svg"), *there],
        ["forget", signature, *there],
    ]
    return [cheap, dear]


def commands(output: Path, signature: str, chance: random.Random) -> list[list[str]]:
    """Two commands about an output folder, and a run of it."""
    cheap, dear = kinds_of_commands(output, signature, chance)
    return [chance.choice(cheap), chance.choice(dear if chance.random() < 0.3 else cheap)]


def restore(whole: Path, to: Path) -> Path:
    """Make `to` what `whole` is again, touching only what is not."""
    for path in sorted(to.rglob("*"), reverse=True):
        original = whole / path.relative_to(to)
        if not original.exists() or original.is_dir() != path.is_dir():
            path.rmdir() if path.is_dir() else path.unlink()
    for original in sorted(whole.rglob("*")):
        path = to / original.relative_to(whole)
        if original.is_dir():
            path.mkdir(exist_ok=True, parents=True)
        elif not path.exists() or _stamp(path) != _stamp(original):
            shutil.copy2(original, path)
    return to


def _stamp(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


def trained(output: Path) -> str:
    """The signature of a run that has curves."""
    return next(folder.signature for folder in RunStore(output).folders() if (folder.path / "curves.parquet").exists())


def warm(output: Path) -> None:
    """Run each command once on a whole folder: the first of a process imports for seconds."""
    cheap, dear = kinds_of_commands(output, trained(output), random.Random(0))
    for words in (*cheap, *dear):
        ended = run_reid(words)
        assert ended.code == 0, ended


def fuzz(whole: Path, to: Path, few: int, ask: Callable[[Path, Path, random.Random], list[str]]) -> list[str]:
    """Damage a file a round; what went wrong in those rounds."""
    wrong: list[str] = []
    warm(restore(whole, to))
    for chance in rounds(few):
        output = restore(whole, to)
        file = chance.choice(sorted(path for path in output.rglob("*") if path.is_file()))
        how = damage(file, chance)
        wrong += [f"{file.relative_to(output)} {how}: {line}" for line in ask(output, file, chance)]
    return wrong


def test_every_command_ends_as_it_should(whole: Path, tmp_path: Path) -> None:
    def ask(output: Path, file: Path, chance: random.Random) -> list[str]:
        signature = file.parent.name if file.parent.parent.name == "runs" else trained(output)
        ended = [run_reid(words) for words in commands(output, signature, chance)]
        return [f"{' '.join(one.words[:3])}: {one.wrong}" for one in ended if one.wrong]

    wrong = fuzz(whole, tmp_path / "output", 25, ask)
    assert not wrong, "\n".join(wrong)


def test_what_a_doctor_repaired_is_whole(whole: Path, tmp_path: Path) -> None:
    def ask(output: Path, _file: Path, _chance: random.Random) -> list[str]:
        ended = [run_reid(["doctor", str(output), "--repair"]), run_reid(["doctor", str(output)])]
        wrong = [one.wrong for one in ended if one.wrong]
        return wrong or ([] if ended[1].code == 0 else [f"still damaged: {ended[1].code}"])

    wrong = fuzz(whole, tmp_path / "output", 25, ask)
    assert not wrong, "\n".join(wrong)
