"""What every text of the repository must not say."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = (".py", ".md", ".toml", ".yaml", ".yml", ".ipynb", ".txt", ".cff", ".env")
FOLDERS = (
    "reid",
    "tests",
    "docs",
    "docker",
    "examples",
    "experiments",
    "studies",
    "benchmarks",
    "reports",
    ".github",
    ".ci",
)


def texts() -> list[Path]:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]
    return [*files, *(path for path in ROOT.iterdir() if path.suffix in TEXTS)]


def test_nobody_is_told_to_install_reid_from_an_index() -> None:
    """The name belongs to somebody else there; ours is `reid-ablation`, and is installed from this folder."""
    stranger = re.compile(r"pip install [^\n`]*\breid\b(?!-ablation)|\breid\[(timm|ray|slurm|postgresql|dev)\]")
    this = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts()
        if path != this and (match := stranger.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_extras_that_errors_name_exist() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = {
        extra
        for path in (ROOT / "reid").rglob("*.py")
        for extra in re.findall(r'missing_extra\([^\n]*, "(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert named == {"timm", "ray", "slurm", "postgresql"}
    assert all(re.search(rf"^{extra} = \[", pyproject, re.M) for extra in named)
