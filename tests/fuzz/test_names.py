"""Whatever is given as a name, a number or an option, a command does what it is asked or refuses it with a line."""

import random
from pathlib import Path

import pytest

from reid.store.plan import FactorRecord
from tests.helpers.fuzz import rounds, run_reid
from tests.helpers.grids_on_disk import write_grid

pytestmark = pytest.mark.slow

FACTORS = (FactorRecord(name="warmup", levels=("off", "on")),)
ODD = [
    "", ".", "..", "/", "//", "~", "-", "--", "-x", "--output", "a/b", "../one", "one/", "one/.", "*", "?", "[a]",
    "{}", "$HOME", "`ls`", "'", '"', "\\", "\n", "\x1b[31m", "\x7f", "\u202e", "\u2028", "\udcff", "é", "one\n", " one",
    "x" * 255, "x" * 256, "x" * 5000, "0", "-1", "1e9", "nan", "inf", "9" * 400, "NUL", "con", ".one", "one.plan.json",
]  # fmt: skip


def odd(chance: random.Random) -> str:
    """A name that nobody should give."""
    if chance.random() < 0.7:
        return chance.choice(ODD)
    letters = "".join(
        chr(chance.choice((chance.randrange(1, 128), chance.randrange(1, 0xD7FF))))
        for _ in range(chance.randrange(1, 12))
    )
    return letters + chance.choice(("", *ODD))


def commands(chance: random.Random) -> list[str]:
    one, two = odd(chance), odd(chance)
    return chance.choice(
        [
            ["status", "--", one],
            ["status", "one", "--output", one],
            ["stop", "--", one],
            ["retry", "--", one],
            ["logs", "--", one],
            ["forget", "--", one],
            ["report", "--format", two, "--", one],
            ["report", "one", "--rope", one],
            ["report", "one", "--format", one, "--output", two],
            ["curves", "--", one, two],
            ["tune", "--status", one],
            ["tune", "--", one],
            ["ablate", "--", one],
            ["ablate", "--set", f"{one}={two}", "--", "grid.yaml"],
            [
                "ablate",
                "--set",
                f"{chance.choice(('image.size', 'schedule.epochs', 'backbone.name'))}={one}",
                "grid.yaml",
            ],
            ["ablate", "--slots", one, "grid.yaml"],
            ["ablate", "--plugin", one, "grid.yaml"],
            ["train", "--arm", one, "--seed", two, "grid.yaml"],
            ["evaluate", "--on", one, "--", two],
            ["evaluate", "--on", one, "--checkpoint", two],
            ["evaluate", "--on", ".", "--layout", one, "--checkpoint", "w.pth"],
            ["data", "check", "--", one, two],
            ["data", "cache", "--output", one],
            ["doctor", "--", one],
            ["sync", "--", one],
            ["list", "--", one],
            ["schema", "--plugin", two, "--", one],
            [one, two],
        ]
    )


def test_any_name_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_grid(Path("output"), name="one", factors=FACTORS, effects=(0.1,), iterations=0)
    Path("grid.yaml").write_text("name: g\ndataset: {name: d, root: nowhere}\nfactors: {warmup: , bnneck: }\n", "utf-8")
    wrong, before = [], sorted(tmp_path.iterdir())
    for chance in rounds(60):
        words = commands(chance)
        if words[0] in ("", "--output") or "\0" in "".join(words):
            continue
        ended = run_reid(words)
        if ended.wrong:
            wrong.append(f"{words}: {ended.wrong}")
    assert not wrong, "\n".join(wrong)
    assert sorted(tmp_path.iterdir()) == before, "nothing was written anywhere else"
