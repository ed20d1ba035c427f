"""Grids made of real folders: a truth in, run folders with metrics, curves and outcomes out."""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reid.files import write_record
from reid.recipe import Recipe, digest
from reid.recipe.yaml import parse
from reid.store.plan import SWITCH, ArmRecord, FactorRecord, Plan, PlannedRun
from reid.store.run_records import RecipeRecord
from reid.tricks import TRICKS
from reid.tricks.paper import PAPER_TRICKS
from tests.helpers.run_on_disk import CREATED, DATASET, standard_recipe, write_run
from tests.helpers.services import need

TRICK_FACTORS = tuple(
    FactorRecord(name=name, short=TRICKS[name].short, title=TRICKS[name].title, levels=SWITCH) for name in PAPER_TRICKS
)
EFFECTS = (0.012, 0.034, 0.006, 0.012, 0.045, 0.001)  # of PAPER_TRICKS, in mAP
OUTCOMES = {
    ("010000", 0): "diverged",
    ("000001", 1): "failed",
    ("000011", 0): "planned",
    ("000011", 1): "planned",
    ("111011", 1): "running",
}
Outcome = Mapping[tuple[str, int], str]
MakeGrid = Callable[..., Path]


@pytest.fixture
def make_grid(tmp_path: Path) -> MakeGrid:
    """A function that writes a fabricated grid under tmp_path and returns its folder."""

    def make(**options: Any) -> Path:
        return write_grid(tmp_path / "output", **options)

    return make


def write_grid(
    output: Path,
    *,
    name: str = "demo",
    factors: Sequence[FactorRecord] = TRICK_FACTORS,
    seeds: Sequence[int] = (0,),
    effects: Sequence[float] = EFFECTS,
    noise: float = 0.006,
    outcomes: Outcome | None = None,
    epochs: int = 12,
    iterations: int = 1200,
    design: str = "",
    keep: Callable[[str], bool] = bool,
) -> Path:
    """A grid of every arm x seed, or of those arms to `keep`, with its runs; returns its folder.

    `outcomes` gives runs (arm, seed) another state than finished. The effect of a factor of several levels grows with
    the level. Two grids share the runs of one recipe and seed.
    """
    every = (tuple(codes) for codes in product(*(range(len(factor.levels)) for factor in factors)))
    arms, runs = {}, []
    for codes in every:
        levels = {factor.name: factor.levels[code] for factor, code in zip(factors, codes, strict=True)}
        if keep(arm := "".join(map(str, codes))):
            arms[arm] = ArmRecord(arm=arm, levels=levels, recipe=RecipeRecord.of(recipe_of(levels, epochs)))
    for seed, arm in product(seeds, arms):
        recipe = arms[arm].recipe.load()
        beside = {key: level for key, level in arms[arm].levels.items() if not changes_recipe(key)}
        run = PlannedRun(signature=digest([recipe.signature(), seed, beside]), arm=arm, seed=seed)
        mAP = true_mAP([int(digit) for digit in arm], effects) + draw(seed, 0.01) + draw(int(run.signature, 16), noise)
        state = (outcomes or {}).get((arm, seed), "finished")
        write_run(output, run.signature, recipe, seed, state=state, mAP=mAP, iterations=iterations)
        runs.append(run)
    plan = Plan(
        name=name,
        title="Tricks on fabricated people",
        question="Which of the tricks helps, by how much, and together with what?",
        command=f"reid ablate experiments/{name}.yaml",
        created=CREATED,
        yaml=f"name: {name}\n",
        design=design,
        factors=tuple(factors),
        seeds=tuple(seeds),
        dataset=DATASET,
        arms=tuple(arms.values()),
        runs=tuple(runs),
    )
    folder = output / "grids" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder / "plan.json", plan, durable=False)
    return folder


def changes_recipe(factor: str) -> bool:
    """Whether a factor is a trick or a recipe field, and not what is trained on or a name for an arm."""
    return factor in TRICKS or factor in Recipe.paths()


def recipe_of(levels: Mapping[str, str], epochs: int) -> Recipe:
    """The recipe of an arm."""
    recipe = standard_recipe(epochs)
    for name, level in levels.items():
        if name in TRICKS:
            recipe = TRICKS[name].apply(recipe) if level == "on" else recipe
        elif changes_recipe(name):
            recipe = recipe.set({name: parse(level, name)})
    return recipe


def true_mAP(codes: Sequence[int], effects: Sequence[float]) -> float:
    """Additive, but for two interactions among six factors."""
    value = 0.55 + sum(code * effect for code, effect in zip(codes, effects, strict=True))
    return value + (0.01 * codes[1] * codes[4] - 0.008 * codes[0] * codes[4] if len(codes) == 6 else 0)


def draw(key: int, sd: float) -> float:
    """Noise of a seed or of a run, always the same."""
    return float(np.random.default_rng(key).normal(0, sd))


FACTORS = list("abcdef")


def make_table(
    k: int = 6,
    seeds: int = 1,
    effects: Mapping[str, float] | None = None,
    noise: float = 0.01,
    random_seed: int = 0,
) -> pd.DataFrame:
    """A tidy table of a full factorial, all finished. `effects` maps "a", or a pair "ab", to what it adds to mAP."""
    random = np.random.default_rng(random_seed)
    rows = []
    for seed, bits in product(range(seeds), product([False, True], repeat=k)):
        on = dict(zip(FACTORS, bits, strict=False))
        gain = sum(value for names, value in (effects or {}).items() if all(on.get(name) for name in names))
        arm = "".join(str(int(bit)) for bit in bits)
        value = 0.5 + 0.05 * seed + gain + random.normal(0, noise)
        rows.append({"arm": arm, **on, "seed": seed, "state": "finished", "mAP": value})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def pdftotext() -> str:
    """Path of poppler's pdftotext; skips without it, fails where services are required."""
    path = shutil.which("pdftotext")
    need(None if path else "pdftotext is not installed (package poppler-utils)")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def read(pdftotext: str) -> Callable[[Path], str]:
    """A function that gives the text of a PDF, a table's row on a line."""

    def text(pdf: Path) -> str:
        found = subprocess.run([pdftotext, "-layout", pdf, "-"], capture_output=True, check=True).stdout.decode()
        return found.replace("\u202f", " ")

    return text
