"""The fingerprint of the training code: what changes it and what does not."""

import ast
from pathlib import Path

import pytest

from reid.store.fingerprint import PACKAGE, ROOTS, code_digest, imported_files

CLOSURE = imported_files(ROOTS)


def digest_with(tmp_path: Path, file: Path, old: str, new: str) -> str:
    """The fingerprint if `old` were `new` in one file, with every file under another name and in one folder."""
    changed = []
    for number, source in enumerate(CLOSURE):
        text = source.read_text()
        if source == file:
            assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        copy = tmp_path / f"file_{number}.py"
        copy.write_text(text)
        changed.append(copy)
    return code_digest(changed)


def file_with(words: str) -> Path:
    (file,) = (file for file in CLOSURE if words in file.read_text())
    return file


def test_what_trains_and_what_measures_is_in_the_closure() -> None:
    text = "\n".join(file.read_text() for file in CLOSURE)
    for name in (
        "train_step",
        "rank_distances",
        "rerank",
        "training_of",
        "assemble",
        "learnt_nothing",
        "class Baseline",
    ):
        assert name in text
    assert not any("synthetic" in file.parts for file in CLOSURE)
    assert not any(file.parent.name in ("reporting", "tracking", "tuning") for file in CLOSURE)


def test_names_of_files_and_folders_do_not_count(tmp_path: Path) -> None:
    assert digest_with(tmp_path, PACKAGE / "none", "", "") == code_digest(CLOSURE)


@pytest.mark.parametrize(
    ("words", "old", "new"),
    [
        ("def scores", "min(k, len(self.cmc)) - 1", "min(k, len(self.cmc)) - 2"),
        ("def shared_trainings", "members[0]", "members[-1]"),
        ("def assemble", "opened[domains.primary])\n    order", "opened[domains.names[0]])\n    order"),
        ("def train_step", "found.total.backward()", 'found.losses["id"].backward()'),
    ],
)
def test_a_change_that_could_move_a_number_changes_it(tmp_path: Path, words: str, old: str, new: str) -> None:
    assert digest_with(tmp_path, file_with(words), old, new) != code_digest(CLOSURE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""What is minimised', '"""That which is minimised'),
        (
            "    return Objective(losses, weighted, total)\n",
            "    # nothing else\n    return Objective(\n        losses, weighted, total\n    )\n",
        ),
    ],
)
def test_words_and_layout_do_not_count(tmp_path: Path, old: str, new: str) -> None:
    assert digest_with(tmp_path, file_with("What is minimised"), old, new) == code_digest(CLOSURE)


def test_a_word_in_a_method_card_does_not_count(tmp_path: Path) -> None:
    def digest_of(idea: str, epochs: int) -> str:
        file = tmp_path / "mine.py"
        file.write_text(
            "from reid.tricks import MethodCard, Trick\n"
            f"MINE = Trick(name='mine', card=MethodCard(idea='{idea}'), settings={{'schedule.epochs': {epochs}}})\n"
        )
        return code_digest([file])

    assert digest_of("an idea", 1) == digest_of("a thought", 1) != digest_of("an idea", 2)


def test_a_statement_that_moves_to_another_file_does_not_count(tmp_path: Path) -> None:
    file = file_with("def train_step")
    tree = ast.parse(file.read_text())
    (moved,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "train_step")
    tree.body.remove(moved)
    (rest := tmp_path / "rest.py").write_text(ast.unparse(tree))
    (own := tmp_path / "step.py").write_text(ast.unparse(moved))
    others = [other for other in CLOSURE if other != file]
    assert code_digest([*others, rest, own]) == code_digest(CLOSURE)
