"""Tables as W&B and ClearML export them, of drawn runs: what makes them hard is in them."""

import csv
import random
from io import StringIO
from itertools import product


def wandb_table() -> str:
    """The runs page of W&B: newest first, config and summary as dotted heads, states in small letters.

    Mixup brings 2 points of accuracy, EMA nothing; 2 x 2 x 4 seeds. One run crashed half-way with a low accuracy and
    was launched again, one crashed for good, one is running, one has NaN, one was made before EMA was an option.
    """
    draw, rows = random.Random(1), []
    for seed, ema, mixup in product(range(4), (False, True), (False, True)):
        value = 0.80 + 0.02 * mixup + 0.002 * draw.gauss(0, 1) + 0.004 * seed
        rows.append(_wandb("finished", ema, mixup, seed, f"{value:.16g}"))
    rows[3][1:2], rows[3][-1] = ["crashed"], "0.41"
    rows.append(_wandb("finished", True, True, 0, "0.8213"))
    rows[9][1:2], rows[9][-1] = ["crashed"], "0.39"
    rows[14][-1] = "NaN"
    rows.append(_wandb("running", False, True, 4, "0.55"))
    rows.append([*_wandb("finished", False, True, 4, "0.8")[:-3], "", "4", "0.8"])
    head = ["Name", "State", "Notes", "User", "Tags", "Created", "Runtime", "Sweep", "train.mixup", "train.ema", "seed"]
    return _text([*head, "val/accuracy"], rows[::-1])


def _wandb(state: str, ema: bool, mixup: bool, seed: int, value: str) -> list[str]:
    name = f"run-{seed}-{ema:d}{mixup:d}"
    page = [name, state, "-", "someone", "", "2026-03-01T10:00:00.000Z", "3600", ""]
    return [*page, str(mixup).lower(), str(ema).lower(), str(seed), value]


def wandb_recipe() -> str:
    """What the recipe in W&B's documentation writes: summary and config as Python's dictionaries, no states."""
    draw = random.Random(2)
    rows: list[list[str]] = []
    for seed, warmup, optimiser in product(range(3), (0, 500), ("adamw", "sgd")):
        loss = 1.25 - 0.1 * (warmup > 0) + 0.02 * draw.gauss(0, 1)
        summary = {"_wandb": {"runtime": 12}, "val": {"loss": loss}, "epoch": 9}
        config = {"optim": {"name": optimiser, "warmup_steps": warmup}, "seed": seed, "layers": [2, 2]}
        rows.append([str(len(rows)), repr(summary), repr(config), f"swift-dawn-{len(rows)}"])
    rows[5][1] = rows[5][1].replace(rows[5][1].split("'loss': ")[1].split("}")[0], "nan")
    return _text(["", "summary", "config", "name"], rows)


def clearml_table() -> str:
    """ClearML's table: heads in capitals, "section > name" for parameters, states as its page shows them.

    Cosine decay takes 3 s off the time to a target, flips add 8; three levels of width; two seeds of a choice of cells.
    """
    draw, rows = random.Random(3), []
    for seed, schedule, flip, width in product((11, 12), ("step", "cosine"), ("no", "yes"), (32, 64, 128)):
        if (schedule, flip, width) == ("step", "yes", 128):
            continue
        seconds = 300 - 3 * (schedule == "cosine") + 8 * (flip == "yes") + width / 8 + 0.6 * draw.gauss(0, 1)
        state = "Published" if seed == 11 else "Completed"
        rows.append(_clearml(state, schedule, flip, width, seed, f"{seconds:.3f}"))
    rows[4][3], rows[4][-1] = "Aborted", "120.5"
    rows.append(_clearml("Failed", "cosine", "no", 32, 13, ""))
    rows.append(_clearml("Draft", "cosine", "no", 64, 13, ""))
    heads = ["TYPE", "NAME", "TAGS", "STATUS", "PROJECT", "STARTED", "ITERATION", "General > schedule"]
    heads += ["Args > flip", "Args > width", "General > seed", "target > seconds (Last)"]
    return _text(heads, rows)


def _clearml(state: str, schedule: str, flip: str, width: int, seed: int, seconds: str) -> list[str]:
    page = ["Training", f"{schedule} {flip} {width}", "", state, "speed, target", "Mar 1 2026 10:00", "12,000"]
    return [*page, schedule, flip, str(width), str(seed), seconds]


def _text(head: list[str], rows: list[list[str]]) -> str:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([head, *rows])
    return text.getvalue()
