"""What others have published, beside what this grid says: differences with differences, each with our interval."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np
import pandas as pd

from reid.analysis.ladder import differences
from reid.analysis.published_tables import published_ladder, published_table
from reid.statistics.factor_coding import Term
from reid.statistics.linear_model import Analysis
from reid.store.plan import Plan
from reid.tricks.paper import PAPER_TRICKS

SETS = {"market1501": "Market-1501", "dukemtmc": "DukeMTMC-reID"}
BACKBONES = {"seresnet50": "se_resnet50", "seresnet101": "se_resnet101", "seresnext50": "se_resnext50",
             "seresnext101": "se_resnext101", "ibnnet50a": "resnet50_ibn_a"}  # fmt: skip
REPRODUCED = "PaddlePaddle/PaddleClas"
# Its settings: none, five and all six of the tricks.
BARE = "standard baseline (baseline.yaml)"
BUT_CENTER = "all but centre loss (softmax_triplet.yaml)"
WHOLE = "all tricks (softmax_triplet_with_center.yaml)"


class Answer(StrEnum):
    """What our runs say of a published difference."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    TOO_WIDE = "too wide to say"


@dataclass(frozen=True)
class Claim:
    """A published difference in mAP (a fraction) between two of our arms; one run each, no interval."""

    table: str
    what: str
    data: str
    theirs: float
    arms: tuple[str, str]
    source: str


def compare(analysis: Analysis, plan: Plan, terms: Sequence[Term], titles: Mapping[str, str]) -> pd.DataFrame:
    """A row a published difference that the grid has arms for, under the titles of its terms; empty without one.

    Columns: table, what, data, theirs, ours, low, high, difference (ours minus theirs), answer (an `Answer`), source;
    fractions of mAP. A published number is one run an arm, so `low` and `high` are a 95 % prediction interval for a
    difference in one more seed, with our noise: theirs outside it contradicts ours, theirs inside agrees, unless the
    interval is so wide that it would hold no difference as well, or twice theirs.
    """
    grid = _Grid(plan, terms, titles)
    claims = [*_ladders(grid), *_backbones(grid), *_batches(grid), *_reproductions(grid)]
    found = differences(analysis, [claim.arms for claim in claims])
    frame = pd.DataFrame([vars(claim) for claim in claims], columns=list(Claim.__dataclass_fields__))
    varying, noise = analysis.varying, analysis.between_runs
    changed = np.array([sum(map(str.__ne__, *claim.arms)) for claim in claims])
    once = 2 * analysis.noise.sd**2 + changed * varying.between_seeds(noise)
    low, high = replace(found, error=np.sqrt(found.error**2 + once)).interval()
    frame = frame.drop(columns="arms").assign(ours=found.effect, low=low, high=high)
    frame["difference"] = frame["ours"] - frame["theirs"]
    inside = (frame["low"] <= frame["theirs"]) & (frame["theirs"] <= frame["high"])
    wide = (frame["high"] - frame["low"]) / 2 > frame["theirs"].abs()
    answers = [str(Answer.CONTRADICTS), str(Answer.TOO_WIDE), str(Answer.AGREES)]
    frame["answer"] = np.select([~inside, wide], answers[:2], answers[2])
    frame.loc[frame["low"].isna(), "answer"] = str(Answer.TOO_WIDE)
    order = ["table", "what", "data", "theirs", "ours", "low", "high", "difference", "answer", "source"]
    return frame.loc[frame["ours"].notna(), order].reset_index(drop=True)


@dataclass(frozen=True)
class _Grid:
    """What a claim needs to know of a grid."""

    plan: Plan
    terms: Sequence[Term]
    titles: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        return [factor.name for factor in self.plan.factors]

    @property
    def is_papers(self) -> bool:
        """Whether the factors are the paper's six tricks."""
        return set(self.names) == set(PAPER_TRICKS)

    def rung(self, last: str) -> str:
        """The arm with the paper's tricks on up to `last`, or "none"."""
        rungs = ("none", *PAPER_TRICKS)
        return self.arm(rungs[1 : rungs.index(last) + 1])

    def all_but(self, *names: str) -> str:
        """The arm with all of the paper's tricks on but these."""
        return self.arm([name for name in PAPER_TRICKS if name not in names])

    def arm(self, on: Collection[str]) -> str:
        return "".join("1" if name in on else "0" for name in self.names)


def _ladders(grid: _Grid) -> Iterator[Claim]:
    if not grid.is_papers:
        return
    same = published_ladder("cumulative_ablation_same_domain")
    rungs = ("none", *PAPER_TRICKS)
    for key, data in SETS.items():
        mAP = same[f"{key}_mAP"]
        for before, name in pairwise(rungs):
            arms = grid.rung(name), grid.rung(before)
            gain = float(mAP[name] - mAP[before]) / 100
            yield Claim("ladder", f"+ {grid.titles[name]}", data, gain, arms, _source(same))
    for key, data in SETS.items():
        gain = float(same[f"{key}_mAP"][rungs[-1]] - same[f"{key}_mAP"]["none"]) / 100
        yield Claim("ladder", "all minus none", data, gain, (grid.all_but(), grid.rung("none")), _source(same))


def _reproductions(grid: _Grid) -> Iterator[Claim]:
    """Differences between two settings of one re-implementation."""
    if not grid.is_papers:
        return
    every = published_table("independent_reproductions")
    every = every[every["train"] == every["test"]]
    paddle = every[every["source"].str.startswith(REPRODUCED)].set_index("setting")
    arm_of = {BARE: grid.rung("none"), BUT_CENTER: grid.all_but("center_loss"), WHOLE: grid.all_but()}
    claims = {
        "all but centre loss, minus none": (BUT_CENTER, BARE),
        "all minus all but centre loss": (WHOLE, BUT_CENTER),
    }
    for words, (more, less) in claims.items():
        gain = float(paddle["mAP"][more] - paddle["mAP"][less]) / 100
        yield Claim("reproduction", words, "Market-1501", gain, (arm_of[more], arm_of[less]), _source(paddle))
    light = every[every["source"].str.startswith("wangguanan/light-reid")]
    for key, data in SETS.items():
        own = light[light["train"] == key]
        bare = own["setting"].str.endswith("no REA")
        gain = own.loc[~bare, "mAP"].mean() - own.loc[bare, "mAP"].mean()
        pair = grid.all_but("center_loss"), grid.all_but("center_loss", "random_erasing")
        yield Claim("reproduction", "random erasing, with all but centre loss", data, gain / 100, pair, _source(light))


def _backbones(grid: _Grid) -> Iterator[Claim]:
    """Every backbone against the first, the other factors at their base."""
    if "backbone.name" not in grid.names:
        return
    table = published_table("backbones")
    keys = table["backbone"].str.lower().str.replace("-", "")
    table.index = pd.Index([BACKBONES.get(key, key) for key in keys])
    yield from _against_first(grid, "backbone.name", "backbone", table, list(table.index))


def _batches(grid: _Grid) -> Iterator[Claim]:
    """Every P x K against the first, where the grid has both as factors, or one with the other at 16 or 4."""
    table = published_table("batch_size_PxK")
    fields = {"batch.identities": "P", "batch.images": "K"}
    for name, column in fields.items():
        if name in grid.names:
            other = "K" if column == "P" else "P"
            fixed = grid.plan.arms[0].recipe.field("batch.images" if column == "P" else "batch.identities")
            part = table[table[other] == fixed]
            part.index = pd.Index(part[column].astype(str))
            yield from _against_first(grid, name, "batch", part, list(part.index))


def _against_first(grid: _Grid, factor: str, label: str, table: pd.DataFrame, known: list[str]) -> Iterator[Claim]:
    """A claim for each of a factor's levels that the table and its first level are both in."""
    levels = grid.plan.factors[grid.names.index(factor)].levels
    base = "0" * len(grid.names)
    for term in grid.terms:
        level = levels[term.level]
        if grid.names[term.factor] != factor or not {levels[0], level} <= set(known):
            continue
        arm = f"{base[: term.factor]}{term.level}{base[term.factor + 1 :]}"
        for key, data in SETS.items():
            gain = float(table[f"{key}_mAP"][level] - table[f"{key}_mAP"][levels[0]])
            if np.isfinite(gain):
                doubt = " (suspect)" if "suspect" in str(table["note"][level]) else ""
                yield Claim(label, f"{levels[0]} → {level}{doubt}", data, gain / 100, (arm, base), _source(table))


def _source(table: pd.DataFrame) -> str:
    return str(table["source"].iloc[0]).split(" (")[0]
