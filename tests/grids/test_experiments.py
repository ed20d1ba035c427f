"""Grids that a user launches: each can be planned, and begins with what it answers, its cost, and the command."""

import re
from pathlib import Path

import pytest

from reid.grids.grid import read_grid

FOLDER = Path(__file__).parents[2] / "experiments"
PROMISED = {
    "demo", "market1501-until", "market1501-full", "market1501-half", "ladder", "leave-one-out", "cross-domain",
    "backbones", "bnneck", "batch-size", "image-size",
}  # fmt: skip
FILES = sorted(FOLDER.glob("*.yaml"))


def test_every_promised_grid_is_there() -> None:
    assert {file.stem for file in FILES} >= PROMISED


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_it_begins_with_what_it_answers_its_cost_and_the_command(file: Path) -> None:
    head = file.read_text().partition("\nname:")[0]
    words = " ".join(head.replace("#", " ").split())
    assert "?" in words.split(". ")[0]
    assert re.search(r"trainings|combinations|arms x", words)
    assert re.search(r"minutes?|hours?", words)
    assert f"reid ablate experiments/{file.name} && reid report {read_grid(file, {}).spec.name}" in words
