"""Cells and phrases that several pages print."""

from collections.abc import Sequence

from reid.analysis.results import Results
from reid.metrics.formatting import interval, probability, signed
from reid.statistics.factor_coding import DIGITS
from reid.statistics.inference import benjamini_hochberg
from reid.store.plan import FactorRecord


def basis(results: Results) -> str:
    """What an estimate rests on, for its caption."""
    return f"Runs: {states(results)}."


EXPLORATORY = "Exploratory: q is the false discovery rate (Benjamini and Hochberg)."


def effect_cells(results: Results, metric: str, name: str) -> list[str]:
    """Effect of a factor on a metric, its interval and its false discovery rate over the factors, in words."""
    found = results.effects[metric]
    q = dict(zip(found.index, benjamini_hochberg(found["p"].to_numpy()), strict=True))
    row = found.to_dict("index")[name]
    return [signed(metric, row["effect"]), interval(metric, row["low"], row["high"]), probability(q[name])]


def states(results: Results) -> str:
    """How many runs are in which state; missing ones are named, never dropped."""
    counts = results.runs["state"].value_counts()
    finished = counts.pop("finished")
    others = "".join(f", {count} {state}" for state, count in sorted(counts.items()))
    return f"{finished} of {len(results.runs)} finished{others}"


def describe(factors: Sequence[FactorRecord], arm: str) -> str:
    """Levels of `factors` in words, a digit of `arm` each: what is on, and the level of what is not a switch."""
    words = []
    for factor, digit in zip(factors, arm, strict=True):
        level = factor.levels[DIGITS.index(digit)]
        if not factor.is_switch:
            words.append(f"{factor.head} {level}")
        elif level == "on":
            words.append(factor.head)
    return " + ".join(words) or "none"
