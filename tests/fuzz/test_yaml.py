"""Whatever is done to a grid, a study or a recipe, it is read or refused with one line."""

import random
import re
from pathlib import Path

import pytest

from reid.cli.app import LONGEST
from tests.helpers.fuzz import mutated, rounds, run_reid

pytestmark = pytest.mark.slow

FILES = {
    "ablate": """\
# a comment
name: g
title: Tricks
question: "Which of them helps?"
dataset: {name: d, root: nowhere, layout: market1501}
recipe:
  image: {size: [32, 16]}
  schedule: {base: 3e-3, epochs: 12, milestones: [4, 9], warmup_epochs: 3}
  triplet: {margin: soft}
factors:
  warmup:
  center_loss: {weight: 0.001}
  triplet.margin: [0.3, soft]
  mine:
    off: {}
    on: {tricks: {bnneck: }, fields: {id_loss.weight: 0.5}}
design: full
exclude: [{warmup: on, mine: off}]
seeds: [0, 1]
budget: {halving: {keep: 0.5, first: 4}}
""",
    "tune": """\
name: s
dataset: {name: d, root: nowhere}
tricks: {center_loss: , warmup: {epochs: 5}}
knobs:
  center_loss.weight: {low: 1e-4, high: 1e-2, log: true, or: 0}
  batch.images: [2, 4, 8]
sampler: {name: tpe, seed: 0}
pruner: none
objectives: [mAP, seconds]
trials: 4
seeds: [0]
storage: sqlite
""",
    "evaluate": """\
schedule: {base: 3e-3, epochs: 12}
backbone: {name: resnet18, pretrained: none}
neck: {kind: bnneck}
optimizer: {name: adam, ema: 0.9}
""",
}
WORDS = [
    "true", "null", "~", "[]", "{}", "-1", "0", "1e400", ".nan", "'", '"', "&a", "*a", "!!int x", "!!python/none", "<<",
    "9" * 30, "0x10", "1_000", "[[[[[[", "{a: {a: {a: ", "- ", "|", ">", "%YAML 1.1", "---", "...", "\t", "\\ud800",
    "x" * 5000, "../..", "none", "on", "off", "imagenet", "timm:x", "mAP", "100000", "999999999", "2026-01-01", "#",
]  # fmt: skip


def edited(text: str, chance: random.Random) -> bytes:
    """A file after somebody edited it without looking."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        tokens = re.split(r"([\s,:\[\]{}]+)", text)
        place, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        match chance.randrange(6):
            case 0:
                tokens[place] = chance.choice(WORDS)
            case 1:
                tokens[place], tokens[other] = tokens[other], tokens[place]
            case 2:
                del tokens[place]
            case 3:
                tokens.insert(place, tokens[other])
            case 4:
                tokens[place] = f"{tokens[place]}{chance.choice(WORDS)}"
            case _:
                lines = text.splitlines(keepends=True) or [""]
                chance.shuffle(lines)
                tokens = lines
        text = "".join(tokens)
    content = text.encode("utf-8", "surrogatepass")
    return mutated(content, chance) if chance.random() < 0.1 else content


def test_it_is_read_or_refused_with_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = []
    for chance in rounds(80):
        command = chance.choice(list(FILES))
        content = edited(FILES[command], chance)
        Path("f.yaml").write_bytes(content)
        words = {
            "ablate": ["ablate", "f.yaml", "--dry-run"],
            "tune": ["tune", "f.yaml", "--dry-run"],
            "evaluate": [
                "evaluate",
                "--checkpoint",
                "w.pth",
                "--recipe",
                "f.yaml",
                "--on",
                "nowhere",
                "--device",
                "cpu",
            ],
        }[command]
        ended = run_reid([*words, "--output", "output"])
        lines = ended.error.splitlines()
        if not ended.wrong and (ended.code != 2 or len(lines) != 1 or len(lines[0]) > LONGEST + len("error: ")):
            wrong.append(f"code {ended.code}, {ended.error[-500:]!r} for {content!r}")
        if ended.wrong:
            wrong.append(f"{ended.wrong} for {content!r}")
    assert not wrong, "\n".join(wrong)
